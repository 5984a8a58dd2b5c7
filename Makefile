# Everything from a fresh clone: `make demo`, `make test`. `make help` lists the rest.
.DEFAULT_GOAL := help
.PHONY: help setup demo up down logs status test lint bench clean

export VIDEO OPTIONS

help: ## this list
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 10

setup: ## virtual environments and the networks' weights (all other targets do it first, quickly when in place)
	@scripts/setup

demo: setup ## a video through the whole system: make demo [VIDEO=path] [OPTIONS='{"climber_height_cm": 176}']
	@.venv/bin/python scripts/demo.py

up: setup ## the local cloud in the background; writes .local/stack.json
	@scripts/cloud up

down: ## the local cloud gone
	@scripts/cloud down

logs: ## what Lambdas and jobs printed: make logs [NAME=api] [FOLLOW=1]
	@scripts/cloud logs $(NAME) $(if $(FOLLOW),--follow)

status: ## what of the local cloud is running
	@scripts/cloud status

test: setup ## every test
	@scripts/test

lint: setup ## style, types, template
	@scripts/lint

bench: setup ## benchmarks: a table, and bench/results/*.json
	@.venv/bin/python -m bench

clean: down ## forget everything the commands made, environments included
	rm -rf .venv .local out build gpu_batch/models
