#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# After experiments/apart.sh: what does a network take that looks at pictures to answer, and at none
# to act? It goes on from that of apart.sh with a codec for all tasks; the one without questions goes
# on with the same data, for as many samples that are looked at.
#
#     experiments/blind.sh [FOLDER]
#
# FOLDER is that of experiments/apart.sh. What is done already is left as it is. When these runs were
# made, the older parts had been collected before headings were noted; these were added from the
# scenes of the same seeds, unknown where a thing had been moved.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
folder="${1:-runs/picks}"
export OMP_NUM_THREADS=1
. experiments/chain.sh

collect() { # NAME SEED EPISODES ARGUMENT ...
  ./inspire collect --corrections --variation distractors --longest 0 --around 0.7 \
    --tasks pick_ball,pick_plug,banana_in_plate,cookies_on_towel --out "$folder/$1" --seed "$2" \
    --episodes "$3" "${@:4}"
}
collect near-4 300000 158 --glances 6
collect held 320000 166 --glances 2 --holding 1
./inspire collect --corrections --glances 8 --seed 10000 --episodes 72 --out "$folder/all"

blind=(--set teaching.layout=answers_for_pictures --set teaching.others=true
  --set size.reads_places=true --set scene_rows=6)
none=(--set teaching.layout=none --set scene_rows=12)

parts pick glances more clutter near near-2 near-3 dagger put put-2 can all
trained blind-0 apart-1 400 "${data[@]}" "${blind[@]}" --set recode=true --set teaching.denied=0
trained blind-1 blind-0 1400 "${data[@]}" "${blind[@]}" --set size.headings=true --set offsets=2
trained none-blind-1 none-dagger 1400 "${data[@]}" "${none[@]}" --set recode=true

parts pick clutter near near-2 near-3 near-4 near-4 dagger dagger put put-2 can all held held held held
trained blind-2 blind-1 1000 "${data[@]}" "${blind[@]}" --set size.headings=true --set offsets=2 \
  --set batch=24 --set 'teaching.off=[0.006,0.03]' --set teaching.denied=0.5 --set teaching.deeds=8
trained none-blind-2 none-blind-1 1530 "${data[@]}" "${none[@]}" --set batch=24

for run in blind-2 none-blind-2; do
  ./inspire evaluate --policy nano --checkpoint "$folder/$run/checkpoint" --episodes 50 \
    --tasks pick_ball,pick_plug,pick_orange --json "$folder/$run/evaluation.json" \
    --html "$folder/$run/evaluation.html" --videos 4 --resume
done
./inspire compare "$folder/blind-2/evaluation.rows.csv" "$folder/none-blind-2/evaluation.rows.csv"
