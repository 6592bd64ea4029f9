#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The headline at the size that two cores can do in an afternoon: two of the seen instructions,
# "pick up the ball" and "pick up the plug", and the unseen "pick up the orange".
#
#     experiments/picks.sh [FOLDER]
#
# Oranges stand among the other things of the scenes, and are asked about in the arms `others` and
# `places`; no row's instruction names one.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
folder="${1:-runs/picks}"
collect() { ./inspire collect --corrections --tasks pick_ball,pick_plug "$@"; }

collect --glances 12 --seed 20000 --episodes 202 --out "$folder/pick"
collect --glances 3 --longest 0 --seed 40000 --episodes 343 --out "$folder/glances"
collect --glances 3 --longest 0 --seed 60000 --episodes 1300 --out "$folder/more"
collect --glances 3 --longest 0 --seed 80000 --episodes 506 --variation distractors \
  --out "$folder/clutter"

export OMP_NUM_THREADS=1 THREADS=1 TASKS=pick_ball,pick_plug,pick_orange
export DATA="$folder/pick $folder/glances $folder/more $folder/clutter"
exec experiments/headline.sh small "$folder"
