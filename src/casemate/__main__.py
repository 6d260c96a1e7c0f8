"""`python -m casemate`."""

from casemate.cli import main

raise SystemExit(main())
