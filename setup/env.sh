# SPDX-License-Identifier: Apache-2.0
# The workspace's environment, to be sourced by bash: `source setup/env.sh`.
#
# Everything that a node needs to start is set here and nowhere else. Values that a user may
# have a reason to choose (domain, discovery range, GL, threads) are only set when they are unset.

_inspire_root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
_inspire_venv="$_inspire_root/.venv"

if [ ! -x "$_inspire_venv/bin/python" ]; then
  echo "$_inspire_venv is not set up: run $_inspire_root/inspire setup" >&2
  unset _inspire_root _inspire_venv
  return 1
fi

# A venv belongs either to a ROS 2 distribution, whose prefix is in that file, or to the wheels.
if [ -f "$_inspire_venv/uses_distribution" ]; then
  _inspire_distribution="$(<"$_inspire_venv/uses_distribution")"
  case ":${AMENT_PREFIX_PATH:-}:" in
    *":$_inspire_distribution:"*) ;;
    *) source "$_inspire_distribution/setup.bash" ;;
  esac
  unset _inspire_distribution
else
  # The wheels' library paths are wrong. ros_wheels_bootstrapper repairs that by starting each
  # Python twice, with the libraries in random order; set here, in fixed order, it need not.
  # What was set before comes after (a GPU's libraries, say), but no other ROS and none of ours.
  _inspire_libs="$_inspire_venv/lib"
  for _inspire_each in "$_inspire_venv"/lib/python3.*/site-packages/ros_*.libs; do
    _inspire_libs="$_inspire_libs:$_inspire_each"
  done
  IFS=: read -r -a _inspire_before <<<"${LD_LIBRARY_PATH:-}"
  for _inspire_each in "${_inspire_before[@]}"; do
    case "$_inspire_each" in
      '' | /opt/ros/* | "$_inspire_venv"/* | "$_inspire_root"/install/*) ;;
      *) _inspire_libs="$_inspire_libs:$_inspire_each" ;;
    esac
  done
  export LD_LIBRARY_PATH="$_inspire_libs"
  export _ROS_WHEELS_BOOTSTRAP_COMPLETE=1
  export AMENT_PREFIX_PATH="$_inspire_venv" CMAKE_PREFIX_PATH="$_inspire_venv"
  export ROS_DISTRO=jazzy ROS_VERSION=2 ROS_PYTHON_VERSION=3
  export RMW_IMPLEMENTATION=rmw_fastrtps_cpp
  unset PYTHONPATH PYTHONHOME _inspire_libs _inspire_each _inspire_before
fi

case ":$PATH:" in
  *":$_inspire_venv/bin:"*) ;;
  *) export PATH="$_inspire_venv/bin:$PATH" ;;
esac
export VIRTUAL_ENV="$_inspire_venv"

# A profile for one machine: without it 640x480 images are lost. Jazzy reads the first name,
# Kilted and later the second.
export FASTRTPS_DEFAULT_PROFILES_FILE="${FASTRTPS_DEFAULT_PROFILES_FILE:-$_inspire_root/setup/fastdds.xml}"
export FASTDDS_DEFAULT_PROFILES_FILE="${FASTDDS_DEFAULT_PROFILES_FILE:-$_inspire_root/setup/fastdds.xml}"
export ROS_AUTOMATIC_DISCOVERY_RANGE="${ROS_AUTOMATIC_DISCOVERY_RANGE:-LOCALHOST}"

# Without a display MuJoCo renders through EGL; a window (the viewer) does not use this variable.
export MUJOCO_GL="${MUJOCO_GL:-egl}"

# Many processes share few cores: threads inside numpy only make them wait for each other
# (measured: two BLAS threads were 4 to 20 times slower than one).
export OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}"
export OPENBLAS_NUM_THREADS="${OPENBLAS_NUM_THREADS:-1}"
export MKL_NUM_THREADS="${MKL_NUM_THREADS:-1}"


# NLTK's tagger data lies in .venv/nltk_data, which NLTK searches by itself, after $NLTK_DATA and
# ~/nltk_data: a user's own data is preferred, so there is nothing to set for it here.

# A build must not see what was built before: it would keep paths of packages that are gone.
if [ -z "${INSPIRE_WITHOUT_OVERLAY:-}" ] && [ -f "$_inspire_root/install/local_setup.bash" ]; then
  # colcon does not quote the venv's Python, whose path may hold a space; the real one has none.
  COLCON_PYTHON_EXECUTABLE="$(readlink -f "$_inspire_venv/bin/python")"
  source "$_inspire_root/install/local_setup.bash"
  unset COLCON_PYTHON_EXECUTABLE
fi
hash -r
unset _inspire_root _inspire_venv
