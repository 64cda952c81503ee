"""What all tests share: property tests have no deadline (these machines are noisy), and no run of ours hangs on."""

import os

from hypothesis import settings

settings.register_profile("lonjak", deadline=None, max_examples=50)
settings.load_profile("lonjak")

# Runs of tests are no part of the page of the job that runs the tests.
os.environ.pop("GITHUB_STEP_SUMMARY", None)
