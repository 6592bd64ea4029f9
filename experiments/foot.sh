#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# After experiments/felt.sh: a network whose places also say where a thing's foot is, so that what
# acts without pictures knows that a cup is gripped by its rim and a plate by its handle: all 22
# seen instructions.
#
#     experiments/foot.sh [FOLDER]
#
# FOLDER is that of experiments/felt.sh; what is done already is left as it is. The parts of felt.sh
# are from before feet were noted. Feet that are not known are learned as any; in these runs they
# were filled in for what is gripped by its middle (straight below, as high as the thing's grasp).
# foot-go was 119 episodes when the first training began, and foot-own was collected with that at
# step 750 and stopped after 128 episodes.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
folder="${1:-runs/picks}"
export OMP_NUM_THREADS=1
. experiments/chain.sh

shown foot-near $rims,$handles,move_can_near 700000 34 --longest 0 --around 0.35 --glances 6
shown foot-held $rims 710000 28 --longest 0 --around 0.5 --glances 1 --holding 1
shown foot-go $handles,cup_in_plate,move_can_near 720000 24 --glances 4 --around 0.3
shown foot-go-2 stack_bowls,stack_cubes,$placed 730000 22 --glances 4 --around 0.3

blind+=(--set size.feet=true)
before=(felt-near felt-near-3 felt-near-4 felt-held felt-askew felt-go felt-go-2 felt-own
  felt-own-2 felt-own-3)
own() { # NAME CHECKPOINT SEED EPISODES: where a network goes, and what it should do there
  shown "$1" $rims,$handles,move_can_near,stack_cubes,$placed "$3" "$4" --glances 1 --around 0.3 \
    --checkpoint "$2"
}

parts "${before[@]}" foot-near foot-near foot-held foot-go foot-go-2
trained foot-1 felt-5 1200 "${data[@]}" "${blind[@]}" --set rate=0.0005 \
  --set cooldown=0 --set teaching.deeds=8
own foot-own "$folder/foot-1/checkpoint" 740000 6
parts "${before[@]}" foot-near foot-near foot-held foot-go foot-go-2 foot-own foot-own
trained foot-2 foot-1 2700 "${data[@]}" "${blind[@]}" --set rate=0.0005 \
  --set cooldown=0.7 --set teaching.deeds=6
own foot-own-2 "$folder/foot-2/checkpoint" 750000 6    # in these runs: its step 1250
parts "${before[@]}" foot-near foot-near foot-held foot-go foot-go-2 foot-own foot-own-2 foot-own-2
trained foot-3 foot-2 600 "${data[@]}" "${blind[@]}" --set rate=0.0003 --set cooldown=0.8 \
  --set teaching.deeds=6

evaluated foot-3 picks 50 pick_ball,pick_plug,pick_orange,banana_on_towel,ball_on_book
evaluated foot-3 placed 50 $placed
evaluated foot-3 can-and-cups 25 move_can_near,cup_on_plate
evaluated foot-3 handles-and-cups 17 $handles,cup_in_plate
evaluated foot-3 bowls 9 stack_bowls
evaluated foot-3 stacks 50 stack_cubes,stack_legos
evaluated foot-3 off 50 pick_ball,pick_plug --reasoning off
evaluated foot-3 forced 50 pick_ball,pick_plug --forced wrong
