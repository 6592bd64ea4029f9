#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# After experiments/blind.sh: a network that knows where things are to a centimetre is taught what
# one does who knows no more than that (inspire_sim/corrector.py), and corrected on its own ways.
#
#     experiments/centimetre.sh [FOLDER]
#
# FOLDER is that of experiments/blind.sh. What is done already is left as it is. When these runs
# were made, what the older parts say was replaced by what today's corrector says (it was another
# when they were collected), which a folder made since needs not; own-1 was collected with the first
# training at step 1100, own-3 with the third at 200; and trainings 2 to 4 were stopped by hand at
# the steps given here, before their rate went down.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
folder="${1:-runs/picks}"
export OMP_NUM_THREADS=1
. experiments/chain.sh
seen=pick_ball,pick_plug,banana_in_plate,cookies_on_towel

own() { # NAME CHECKPOINT SEED EPISODES: where a network goes, and what it should do there
  ./inspire collect --corrections --variation distractors --tasks $seen --glances 2 --around 0.3 \
    --checkpoint "$folder/$2/checkpoint" --seed "$3" --episodes "$4" --out "$folder/$1"
}
held() { # NAME SEED EPISODES GLANCES: any of the things in the hand
  ./inspire collect --corrections --variation distractors --tasks $seen --longest 0 --around 0.7 \
    --holding 1 --glances "$4" --seed "$2" --episodes "$3" --out "$folder/$1"
}
blind=(--set teaching.layout=answers_for_pictures --set teaching.others=true
  --set size.reads_places=true --set size.headings=true --set scene_rows=6 --set offsets=2
  --set batch=24 --set 'teaching.off=[0.006,0.03]' --set teaching.denied=0.5 --set warmup=30)

near=(near near-2 near-3 near-4)
parts pick clutter "${near[@]}" near-4 held held held dagger dagger more put put-2 can all
trained centimetre-1 blind-2 1400 "${data[@]}" "${blind[@]}" --set rate=0.0003 \
  --set cooldown=0.1 --set teaching.deeds=2
own own-1 centimetre-1 400000 30
own own-2 centimetre-1 410000 40
held held-2 420000 110 2
held held-3 440000 60 1

parts own-1 own-1 own-1 pick "${near[@]}" near-4 held held held dagger more clutter
trained centimetre-2 centimetre-1 450 "${data[@]}" "${blind[@]}" --set rate=0.0005 \
  --set cooldown=0 --set teaching.deeds=5
parts own-1 own-1 own-2 own-2 pick "${near[@]}" held held held dagger put can more clutter
trained centimetre-3 centimetre-2 350 "${data[@]}" "${blind[@]}" --set rate=0.0005 \
  --set cooldown=0 --set teaching.deeds=6
own own-3 centimetre-3 430000 30
parts own-1 own-2 pick "${near[@]}" held held held-2 held-2 dagger put can all more clutter
trained centimetre-4 centimetre-3 200 "${data[@]}" "${blind[@]}" --set rate=0.0004 \
  --set cooldown=0 --set teaching.deeds=10
parts own-1 own-2 own-2 own-3 own-3 pick "${near[@]}" held held-2 held-2 held-3 held-3 held-3 \
  dagger put can all more clutter
trained centimetre-5 centimetre-4 700 "${data[@]}" "${blind[@]}" --set rate=0.0005 \
  --set cooldown=0.5 --set teaching.deeds=8

./inspire evaluate --policy nano --checkpoint "$folder/centimetre-5/checkpoint" --episodes 50 \
  --tasks pick_ball,pick_plug,pick_orange,banana_on_towel,ball_on_book \
  --json "$folder/centimetre-5/evaluation.json" \
  --html "$folder/centimetre-5/evaluation.html" --videos 4 --resume
