# The commands of this project. Each builds what it needs, from nothing but Python 3.11 or later and its venv module.
#
#   make demo        a short demo: nominal episodes and every fault, without and with the supervisor
#   make demo-full   the same over more seeds
#   make test        the tests, on the installed wheel, with the coverage gate; part of them, without the gate:
#                    make test TESTS=tests/project SEED=1
#   make check       what needs no run: format, lint, types
#   make fmt         formats, and fixes what the linter can fix
#   make install     the wheel and what it needs, in .venv
#   make recordings  recorded motion of a real robot through the supervisor
#   make bench       how long a review takes, beside other engines, and how that grows; some minutes: make bench N=300
#   make pictures    the near miss and the tunnelling hit that the docs show
#   make memory      whether memory grows with reviews: make memory N=100000
#   make referee     random motions through the judge, and other engines as referees; how many: make referee N=10000;
#                    a long run that goes on where it was stopped, and is added to docs/referee.md when it is done:
#                    make referee N=200000 KEEP=runs.jsonl
#   make interrupt   closed loops in which something goes wrong, again and again; how often: make interrupt N=10000
#   make fuzz        any bytes at all for the readers of what peers send, 60 s; a number of inputs: make fuzz N=10000000
#   make mutate      mutants of the judging code that no test kills
#   make clean       removes all that these commands made

.DEFAULT_GOAL := demo
.DELETE_ON_ERROR:
.PHONY: bench check clean demo demo-full fmt fuzz install interrupt memory mutate pictures recordings referee test

# The first that runs, is 3.11 or later and has venv; a name alone may be a shim with nothing behind it.
# 3.11 goes first: there PyBullet has a wheel.
FIT := import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))
PYTHON = $(firstword $(foreach name,python3.11 python3.12 python3.13 python3,$(shell $(name) -c '$(FIT)' 2>/dev/null && echo $(name))))

VENV := .venv
BIN := $(VENV)/bin
OPENPI := $(VENV)-openpi
PACKAGES := supervisor/interlock supervisor/interlock_cli policies/interlock_policies rules/interlock_rules \
	sim/interlock_sim audit_logs/interlock_audit_logs
# Folders too: a file that was removed changes nothing else.
SOURCES = $(shell find $(PACKAGES) -name __pycache__ -prune -o ! -name '*.pyc' -print)

# Two processes share the cores; a BLAS that starts threads in each only makes them wait for one another.
export OPENBLAS_NUM_THREADS := 1

# Quiet, unless it fails: then all that pip said.
PIP = pip() { $(BIN)/python -m pip --disable-pip-version-check "$$@" >$(VENV)/pip.log 2>&1 || { cat $(VENV)/pip.log >&2; return 1; }; }; pip
INSTALL = $(PIP) install --constraint constraints.txt --no-build-isolation

demo: $(VENV)/wheel
	$(BIN)/interlock demo --quick

demo-full: $(VENV)/wheel
	$(BIN)/interlock demo

test: $(VENV)/wheel $(VENV)/dev $(OPENPI)/made
	@rm -f .coverage .coverage.*
	INTERLOCK_OPENPI_PYTHON=$(OPENPI)/bin/python $(BIN)/coverage run -m pytest --numprocesses=2 --dist=worksteal $(if $(SEED),--seed=$(SEED)) $(TESTS)
	@$(BIN)/coverage combine --quiet
	$(BIN)/coverage report $(if $(TESTS),--fail-under=0)

check: $(VENV)/dev
	$(BIN)/ruff format --check --quiet --diff
	$(BIN)/ruff check --quiet
	$(BIN)/mypy
	$(BIN)/pyright --pythonpath $(BIN)/python

fmt: $(VENV)/dev
	$(BIN)/ruff check --fix --quiet
	$(BIN)/ruff format

recordings: $(VENV)/wheel $(VENV)/dev
	$(BIN)/python -m bench.recordings

bench: $(VENV)/wheel $(VENV)/referee
	$(BIN)/python -m bench.speed $(if $(N),--count $(N))
	$(BIN)/python -m bench.growth
	$(BIN)/python -m bench.beside $(if $(N),--count $(N))
	$(BIN)/python -m bench.gating
	$(BIN)/python -m bench.proxying
	$(BIN)/python -m bench.speed_page

pictures: $(VENV)/wheel $(VENV)/dev
	$(BIN)/python -m bench.pictures

memory: $(VENV)/wheel $(VENV)/dev
	$(BIN)/python -m bench.memory --write bench/memory.json $(if $(N),--count $(N))
	$(BIN)/python -m bench.speed_page

referee: $(VENV)/wheel $(VENV)/referee
	$(BIN)/python -m bench.referee $(if $(N),--count=$(N)) $(if $(SEED),--seed=$(SEED)) $(if $(CASE),--case=$(CASE)) $(if $(KEEP),--keep=$(KEEP))
	$(if $(KEEP),$(BIN)/python -m bench.referee_page $(KEEP) $(if $(SEED),--seed=$(SEED)))

interrupt: $(VENV)/wheel $(VENV)/dev
	$(BIN)/python -m bench.interrupting $(if $(N),--count=$(N)) $(if $(SEED),--seed=$(SEED))

fuzz: $(VENV)/wheel $(VENV)/fuzz
	$(BIN)/python -m bench.fuzz.run $(if $(N),--count=$(N)) $(if $(SEED),--seed=$(SEED)) $(if $(KEEP),--keep=$(KEEP))

mutate: $(VENV)/wheel $(VENV)/dev
	$(BIN)/python -m bench.mutate

install: $(VENV)/wheel

clean:
	rm -rf $(VENV) $(OPENPI) audit_logs/runs .coverage .coverage.* .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -prune -exec rm -rf {} +

# Seven steps, each with a file that says when it was done.

$(VENV)/created:
	@python='$(PYTHON)'; \
	if [ -z "$$python" ]; then echo "no Python 3.11 or later with venv found; name one: make PYTHON=..." >&2; exit 1; fi; \
	echo "making $(VENV) with $$python ($$($$python --version))"; \
	$$python -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || \
		echo "PyBullet has wheels up to 3.11: pip will build it from source (a C++ compiler, some 7 minutes)"; \
	$$python -m venv --clear $(VENV)
	@touch $@

$(VENV)/base: pyproject.toml constraints.txt $(VENV)/created
	@echo "installing the dependencies (a minute or two)"
	@$(INSTALL) hatchling && pip install --constraint constraints.txt --no-build-isolation .
	@touch $@

$(VENV)/dev: $(VENV)/base
	@echo "installing the development tools"
	@$(INSTALL) .[dev]
	@touch $@

$(VENV)/referee: $(VENV)/base
	@echo "installing the referee's engines"
	@$(INSTALL) .[referee]
	@touch $@

# openpi-client wants numpy below 2: it has an environment of its own, in which the tests run it as it is published.
$(OPENPI)/made: constraints-openpi.txt $(VENV)/created
	@echo "installing openpi-client"
	@$(BIN)/python -m venv --clear $(OPENPI)
	@$(OPENPI)/bin/python -m pip --disable-pip-version-check install --requirement constraints-openpi.txt >$(VENV)/pip.log 2>&1 \
		|| { cat $(VENV)/pip.log >&2; exit 1; }
	@touch $@

$(VENV)/fuzz: $(VENV)/base
	@echo "installing the fuzzer"
	@$(INSTALL) .[fuzz]
	@touch $@

$(VENV)/wheel: $(VENV)/base $(SOURCES)
	@echo "building and installing the wheel"
	@$(INSTALL) --no-deps --force-reinstall .
	@echo "compiling the forecast's arithmetic"
	@$(BIN)/interlock warm >$(VENV)/warm.log 2>&1 || { cat $(VENV)/warm.log >&2; exit 1; }
	@touch $@
