#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# After experiments/picks.sh: does acting on places, and holding things of other widths, let the
# network take an orange, which no demonstration takes? A fourth arm on the same data reads where it
# believes things to be; then it and the one without questions go on with demonstrations of three
# more seen tasks, whose objects are 3.2 to 5.2 cm wide in the hand (an orange: 5.3).
#
#     experiments/widths.sh [FOLDER]
#
# FOLDER is that of experiments/picks.sh. What is done already is left as it is.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
folder="${1:-runs/picks}"
places=(--set teaching.others=true --set teaching.layout=named_once
        --set size.reads_places=true --set 'teaching.off=[0.003,0.1]')
picks=(--data "$folder/pick" --data "$folder/glances" --data "$folder/more"
       --data "$folder/clutter")
export OMP_NUM_THREADS=1

trained() { # NAME ARGUMENT ...
  [ -f "$folder/$1/done" ] && return
  ./inspire train --config small --threads 1 --out "$folder/$1" "${@:2}"
  touch "$folder/$1/done"
}

measured() { # NAME
  ./inspire evaluate --policy nano --checkpoint "$folder/$1/checkpoint" --episodes 50 \
    --tasks pick_ball,pick_plug,pick_orange --json "$folder/$1/evaluation.json" \
    --html "$folder/$1/evaluation.html" --videos 4 --resume
}

./inspire collect --corrections --tasks banana_in_plate,cookies_on_towel --glances 6 \
  --seed 100000 --episodes 150 --out "$folder/put"
./inspire collect --corrections --tasks move_can_near --glances 8 --seed 140000 --episodes 75 \
  --out "$folder/can"
more=("${picks[@]}" --data "$folder/put" --data "$folder/can")

trained reads-0 "${picks[@]}" "${places[@]}"
trained none-more "${more[@]}" --from "$folder/none-0/checkpoint" --set teaching.layout=none \
  --set steps=1000
trained reads-more "${more[@]}" --from "$folder/reads-0/checkpoint" "${places[@]}" \
  --set steps=1000
for run in reads-0 none-more reads-more; do measured "$run"; done
./inspire compare "$folder/reads-more/evaluation.rows.csv" "$folder/none-more/evaluation.rows.csv"
