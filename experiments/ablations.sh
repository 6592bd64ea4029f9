#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The paper's ablations on the data of experiments/headline.sh: five formulations, questions before
# the instruction against after it, three action codecs; and robustness of the arm `others`.
#
#     experiments/ablations.sh [RECIPE] [FOLDER]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
recipe="${1:-laptop}" folder="${2:-runs/headline}"
changes=()
for change in ${CHANGES:-}; do changes+=(--set "$change"); done

trained() { # NAME FORMULATION [SETTING ...]
  local run="$folder/ablation-$1" settings=()
  for setting in "${@:3}"; do settings+=(--set "$setting"); done
  if [ ! -f "$run/done" ]; then
    ./inspire train --config "$recipe" --data "$folder/data" --out "$run" \
      --set "teaching.formulation=$2" ${changes[@]+"${changes[@]}"} ${settings[@]+"${settings[@]}"}
    touch "$run/done"
  fi
  ./inspire evaluate --policy nano --checkpoint "$run/checkpoint" --formulation "$2" \
    --episodes "${EPISODES:-50}" --json "$run/evaluation.json" --resume
}

for formulation in direction direction_3d proximity location_3d distance; do
  trained "$formulation" "$formulation"
done
trained instruct_first direction teaching.layout=instruct_first
trained fast direction codec=fast size.text=128
trained bins direction codec=bins size.text=160

best="$folder/others-0"
for variation in distractors recoloured background camera; do
  ./inspire evaluate --policy nano --checkpoint "$best/checkpoint" --variation "$variation" \
    --episodes "${EPISODES:-50}" --json "$best/$variation.json" --resume
done
for reasoning in drafted every_n off; do
  ./inspire evaluate --policy nano --checkpoint "$best/checkpoint" --reasoning "$reasoning" \
    --episodes "${EPISODES:-50}" --json "$best/$reasoning.json" --resume
  ./inspire compare "$best/$reasoning.rows.csv" "$best/evaluation.rows.csv"
done
for forced in right wrong; do
  ./inspire evaluate --policy nano --checkpoint "$best/checkpoint" --forced "$forced" \
    --episodes "${EPISODES:-50}" --json "$best/forced-$forced.json" --resume
  ./inspire compare "$best/forced-$forced.rows.csv" "$best/evaluation.rows.csv"
done
