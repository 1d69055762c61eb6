"""Settings that must not reach production. Each message names the setting and says what to do."""
