# SPDX-License-Identifier: Apache-2.0
# Sourced by scripts whose trainings go on from one another: runs and parts of data lie in $folder.

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
