#!/bin/sh
# Prints the path of a Python that ansible-core 2.19 can run on as a controller: 3.11, 3.12 or 3.13, in this order.
# A candidate is tried, not only looked up: the name may belong to a version manager that has no such version.
for candidate in python3.11 python3.12 python3.13 python3 /usr/bin/python3; do
    # _base_executable: inside an active virtual environment, the interpreter that it was made from.
    if "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; then
        exec "$candidate" -c 'import sys; print(sys._base_executable)'
    fi
done
echo "setup: Python 3.11, 3.12 or 3.13 is needed and none was found." >&2
exit 1
