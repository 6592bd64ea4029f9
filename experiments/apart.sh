#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# After experiments/widths.sh: what does a network take whose actions read no name, only where it
# believes things to be? It goes on from the one that reads places, first beside scenes seen from
# near, then corrected on its own ways (DAgger); the one without questions goes on with the same.
#
#     experiments/apart.sh [FOLDER]
#
# FOLDER is that of experiments/widths.sh. What is done already is left as it is. When these runs
# were made, which other things are asked about was drawn up to `apart-0`; since then the nearest is
# always among them.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
folder="${1:-runs/picks}"
reads=(--set teaching.others=true --set size.reads_places=true)
export OMP_NUM_THREADS=1
. experiments/chain.sh

collect() { ./inspire collect --corrections "$@"; }

picks=pick_ball,pick_plug
puts=banana_in_plate,cookies_on_towel
near() { # NAME TASKS GLANCES SHARE SEED EPISODES
  collect --variation distractors --longest 0 --out "$folder/$1" --tasks "$2" --glances "$3" \
    --around "$4" --seed "$5" --episodes "$6"
}
near near "$picks" 4 0.65 160000 374
near near-2 "$picks,$puts,move_can_near" 6 0.6 180000 120
near near-3 "$picks" 6 0.75 240000 248
collect --tasks "$puts" --glances 3 --longest 0 --seed 120000 --episodes 700 --out "$folder/put-2"

parts pick near near near near clutter more can
trained near-0 reads-more 600 "${data[@]}" "${reads[@]}" --set teaching.layout=named_once \
  --set 'teaching.off=[0.003,0.1]'

parts pick pick glances more more clutter clutter near near near put put-2 can
trained apart-0 near-0 1200 "${data[@]}" "${reads[@]}" --set 'teaching.off=[0.003,0.1]' \
  --set teaching.layout=answers_for_names
trained none-apart none-more 1800 "${data[@]}" --set teaching.layout=none

collect --tasks "$picks" --variation distractors --glances 3 --longest 240 --seed 200000 \
  --episodes 137 --checkpoint "$folder/apart-0/checkpoint" --out "$folder/dagger"
parts pick glances more clutter clutter near near near-2 near-2 near-3 near-3 dagger dagger put can
trained apart-1 apart-0 1500 "${data[@]}" "${reads[@]}" --set teaching.layout=answers_for_names
trained none-dagger none-apart 1500 "${data[@]}" --set teaching.layout=none

for run in apart-1 none-dagger; do
  ./inspire evaluate --policy nano --checkpoint "$folder/$run/checkpoint" --episodes 50 \
    --tasks pick_ball,pick_plug,pick_orange --json "$folder/$run/evaluation.json" \
    --html "$folder/$run/evaluation.html" --videos 4 --resume
done
./inspire compare "$folder/apart-1/evaluation.rows.csv" "$folder/none-dagger/evaluation.rows.csv"
