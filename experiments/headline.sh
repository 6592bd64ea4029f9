#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The headline: the same data, network and steps, without questions, with them, and with questions
# about what the instruction does not name, and those with where things are taught beside the words;
# then the same evaluation episodes for each.
#
#     experiments/headline.sh [RECIPE] [FOLDER] [SEED ...]
#
# RECIPE: laptop (two cores, default), small, or nano (a GPU). What is done already is left as it
# is, so that the same command goes on after a stop. EPISODES (default 50) are of every instruction,
# DEMONSTRATIONS (default 100) too; CHANGES are settings of the recipe, as "steps=8000 batch=64";
# DATA are datasets that are there already, TASKS those to evaluate (default: all), THREADS those
# of a training (default: one for each core).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
recipe="${1:-laptop}" folder="${2:-runs/headline}"
seeds=("${@:3}")
[ ${#seeds[@]} -gt 0 ] || seeds=(0)
changes=() data=()
for change in ${CHANGES:-}; do changes+=(--set "$change"); done

if [ -z "${DATA:-}" ]; then
  ./inspire collect --corrections --out "$folder/data" --split seen \
    --episodes "${DEMONSTRATIONS:-100}"
fi
for each in ${DATA:-"$folder/data"}; do data+=(--data "$each"); done

for seed in "${seeds[@]}"; do
  for arm in none questions others places; do
    case "$arm" in
      none) asked=(--set teaching.layout=none) ;;
      questions) asked=(--set offsets=0) ;;
      others) asked=(--set offsets=0 --set teaching.others=true) ;;
      places) asked=(--set teaching.others=true) ;;
    esac
    run="$folder/$arm-$seed"
    if [ ! -f "$run/done" ]; then
      ./inspire train --config "$recipe" "${data[@]}" --out "$run" --set "seed=$seed" \
        --threads "${THREADS:-0}" ${changes[@]+"${changes[@]}"} ${asked[@]+"${asked[@]}"}
      touch "$run/done"
    fi
    ./inspire evaluate --policy nano --checkpoint "$run/checkpoint" --episodes "${EPISODES:-50}" \
      --tasks "${TASKS:-}" --json "$run/evaluation.json" --html "$run/evaluation.html" \
      --videos 8 --resume
  done
  for arm in questions others places; do
    ./inspire compare "$folder/$arm-$seed/evaluation.rows.csv" \
      "$folder/none-$seed/evaluation.rows.csv"
  done
done
