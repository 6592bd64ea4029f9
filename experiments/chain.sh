# SPDX-License-Identifier: Apache-2.0
# Sourced by scripts whose trainings go on from one another: runs and parts of data lie in $folder.

# Seen tasks, by how what is moved is taken hold of.
rims=cup_in_plate,stack_bowls
handles=pull_plate,push_plate
placed=banana_in_plate,cookies_on_towel

# Recipes: the network that acts without pictures, and the one without questions.
blind=(--set teaching.layout=answers_for_pictures --set teaching.others=true
  --set size.reads_places=true --set size.headings=true --set scene_rows=6 --set offsets=2
  --set batch=24 --set 'teaching.off=[0.006,0.03]' --set teaching.denied=0.2 --set warmup=30
  --set mixed_precision=bf16)
none=(--set teaching.layout=none --set scene_rows=12 --set batch=24 --set warmup=30
  --set mixed_precision=bf16 --set rate=0.0005)

trained() { # NAME FROM STEPS ARGUMENT ...
  [ -f "$folder/$1/done" ] && return
  ./inspire train --config small --threads 1 --out "$folder/$1" --set "steps=$3" \
    --from "$folder/$2/checkpoint" "${@:4}"
  touch "$folder/$1/done"
}

shown() { # NAME TASKS SEED EPISODES ARGUMENT ...
  ./inspire collect --corrections --variation distractors --out "$folder/$1" --tasks "$2" \
    --seed "$3" --episodes "$4" "${@:5}"
}

parts() { # NAME ...: as often as they are named
  data=()
  for part in "$@"; do data+=(--data "$folder/$part"); done
}

evaluated() { # RUN NAME EPISODES TASKS ARGUMENT ...: of each instruction
  ./inspire evaluate --policy nano --checkpoint "$folder/$1/checkpoint" --episodes "$3" \
    --tasks "$4" --json "$folder/$1/$2.json" --resume "${@:5}"
}
