# SPDX-License-Identifier: Apache-2.0
# Sourced by scripts whose trainings go on from one another: runs and parts of data lie in $folder.

# Seen tasks, by how what is moved is taken hold of.
rims=cup_in_plate,stack_bowls
handles=pull_plate,push_plate
placed=banana_in_plate,cookies_on_towel

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
