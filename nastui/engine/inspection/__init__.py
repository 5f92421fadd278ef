"""Finding what is wrong with a model, its images or their preparation before a long scan; docs/doctor.md."""
