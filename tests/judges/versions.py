"""Names the judges and their versions; fails if one is missing."""

import judges

for name, version in judges.versions().items():
    print(f"judge {name}: {version}")
judges.close()
