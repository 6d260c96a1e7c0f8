"""Run the campaign; see campaign.py."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from campaign import main

sys.exit(main(sys.argv[1:]))
