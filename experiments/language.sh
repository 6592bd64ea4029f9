#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A pretrained language model (SmolLM2-135M, of the set-up's part `language`) is taught where things
# are, by LoRA, and examined before and after on seeds that were held out. It reads where things
# are and cannot see: this shows that pretrained weights go through the questions, the closed sets
# and the loss, and is no policy. Stopped, it goes on where it was.
#
#     experiments/language.sh [FOLDER] [DATA]
#
# DATA: a dataset of ./inspire collect or export; without one the expert's are collected first.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
folder="${1:-runs/language}" data="${2:-}"
./inspire setup language
if [ -z "$data" ]; then
  data="$folder/data"
  ./inspire collect --out "$data" --split seen --episodes 5    # of each instruction; seed 1000 is held out
fi
./inspire shell -- python -m inspire_policy.language.tuning --data "$data" --out "$folder/run"
cat "$folder/run/results.json"
