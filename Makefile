# The same as ./run, for those whose fingers say make.
.PHONY: help run test lint bench lock
help:
	@./run help
run:
	@./run
test:
	@./run test
lint:
	@./run lint
bench:
	@./run bench
lock:
	@./run lock
