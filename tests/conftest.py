"""What all tests share: property tests have no deadline (these machines are noisy), and no run of ours hangs on."""

from hypothesis import settings

settings.register_profile("lonjak", deadline=None, max_examples=50)
settings.load_profile("lonjak")
