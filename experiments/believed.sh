#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# After experiments/found.sh: deeds are what the corrector does where things are believed to be
# (teaching.believed), places are told against the hand, too (size.hand), and what is carried is
# level before it is laid down.
#
#     experiments/believed.sh [FOLDER]
#
# FOLDER is that of experiments/found.sh; what is done already is left as it is. Trainings ran on
# two processes (docs/training.md), some stopped by hand. The corrector that is asked was improved
# between them: in the first two what is carried was not level yet, before the fourth the belief
# also decided whether all is done, and what is between the fingers is said to be held since the
# fifth.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
folder="${1:-runs/picks}"
export OMP_NUM_THREADS=1
. experiments/chain.sh

near=(--longest 0 --glances 8 --around 0.35)
held=(--longest 0 --holding 1 --around 0.4 --glances 3)
shown believed-bowls stack_bowls 1130000 70 "${near[@]}"
shown believed-cubes stack_cubes 1120000 400 "${near[@]}"
shown believed-bowls-held stack_bowls 1140000 50 "${held[@]}" --carried 6
shown believed-cubes-held stack_cubes 1150000 250 "${held[@]}" --carried 6
shown believed-held "$placed,move_can_near" 1160000 60 "${held[@]}" --carried 5

blind+=(--set size.feet=true --set size.finds=true --set size.hand=true --set scene_rows=12
  --set batch=36 --set offsets=3.3 --set teaching.deeds=4 --set teaching.believed=true)
old=(felt-near felt-near-2 felt-near-3 felt-near-4 felt-held felt-askew felt-go felt-go-2 felt-own
  felt-own-2 felt-own-3 foot-near foot-held foot-go foot-go-2 foot-own foot-own-2
  side-near side-go side-cubes side-cubes side-around side-rims side-rims-go side-cubes-go
  side-rims-held side-own side-own-2 side-can-held side-cubes-held side-pull-go side-can-go
  found-bowls found-cubes found-cubes found-plates found-can found-rest found-go found-go
  found-own{,} found-own-2{,} found-own-3{,} found-own-4{,} found-near-cubes{,,}
  found-near-cubes-2{,,} believed-bowls{,,} believed-cubes{,,} believed-cubes-held{,}
  believed-bowls-held{,} believed-held{,})

parts "${old[@]}"
trained believed-1 found-3 500 "${data[@]}" "${blind[@]}" --set rate=0.0007 --set cooldown=0
trained believed-2 believed-1 500 "${data[@]}" "${blind[@]}" --set rate=0.0005 --set cooldown=0
trained believed-3 believed-2 2200 "${data[@]}" "${blind[@]}" --set rate=0.0005 \
  --set cooldown=0.6
own=(--glances 1 --around 0.3 --checkpoint "$folder/believed-3/checkpoint")
shown believed-own "$placed,move_can_near,cup_in_plate" 1200000 9 "${own[@]}"
shown believed-own-2 "stack_cubes,stack_bowls,$handles" 1210000 5 "${own[@]}"
parts "${old[@]}" believed-own{,,} believed-own-2{,,}
trained believed-4 believed-3 1000 "${data[@]}" "${blind[@]}" --set rate=0.0005 --set cooldown=0
parts "${old[@]}" believed-own{,,} believed-own-2{,,} found-near-cubes found-near-cubes-2 \
  believed-cubes
trained believed-5 believed-4 2200 "${data[@]}" "${blind[@]}" --set rate=0.0005 \
  --set cooldown=0.85

# Not shipped: it hardly ever opens around a can (docs/log.md).
evaluated believed-5 rest 50 "pick_ball,pick_plug,$placed,stack_cubes"
evaluated believed-5 can 25 move_can_near
evaluated believed-5 handles-and-cups 17 "$handles,cup_in_plate"
evaluated believed-5 bowls 9 stack_bowls
evaluated believed-5 unseen 50 pick_orange,banana_on_towel,ball_on_book,stack_legos
evaluated believed-5 cups 25 cup_on_plate
evaluated believed-5 off 50 pick_ball,pick_plug --reasoning off
evaluated believed-5 forced 50 pick_ball,pick_plug --forced wrong
