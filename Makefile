VENV := .venv
PYTHON := python3
BIN := $(VENV)/bin
# Python compiles the modules that are imported; pip would compile all of every package, for half a minute
INSTALL := $(BIN)/python -m pip --disable-pip-version-check -q install --no-compile

# ONNX Runtime tells its makers nothing from here either: some scripts load it before the package, which says the same
export ORT_DISABLE_TELEMETRY ?= 1

# commands that the tests start find our modules compiled, as a user's do, also where containers keep Python from it
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help run host test test-slow test-newcomer test-browser test-cpus test-arm64 test-oldest test-newest fuzz lint style types suite format docs links tables bench-cpu report zoo start-up pictures kernels golden graphs-gate test-gpu build clean

help: ## this list
	@sed -nE 's/^([a-z0-9-]+):.* ## (.*)/  make \1|\2/p' Makefile | awk -F'|' '{ printf "%-22s%s\n", $$1, $$2 }'

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.device: $(BIN)/python setup.cfg
	$(INSTALL) -e '.[cpu]' -c constraints.txt
	touch $@

# torch is named first and alone: its exact version, before anything asks for a range
$(VENV)/.host: $(VENV)/.device
	$(INSTALL) torch -c constraints.txt
	$(INSTALL) -e '.[cpu,openvino,host,timm,report,serve,flow,tune,cluster,objects,mqtt,gate,dev,docs]' -c constraints.txt
	touch $@

$(VENV)/.docs: $(VENV)/.device
	$(INSTALL) -e '.[docs]' -c constraints.txt
	touch $@

run: $(VENV)/.device ## the demo, with the device half alone (no torch); make run INPUT=drive.mp4 takes a video
	$(BIN)/edge-arseg demo $(if $(INPUT),"$(INPUT)")

host: $(VENV)/.host ## the host half too, with torch: train, export, quantize

# mypy takes a minute of one core, beside which the tests begin
test: style ## lint, and the tests but the slow ones, with both halves
	$(MAKE) --no-print-directory -j 2 types suite

# a test that hangs inside a library ends its process, and the run (pytest 9)
HANGS := -o faulthandler_timeout=300 -o faulthandler_exit_on_timeout=true --max-worker-restart 0
suite: $(VENV)/.host ## the tests but the slow ones, without lint
	env -u MAKEFLAGS $(BIN)/python -m pytest -n 2 --dist loadfile $(HANGS) -m "not slow and not browser" tests

test-slow: $(VENV)/.host ## the slow tests
	$(BIN)/python -m pytest -m slow tests

# a newcomer's first hour: the wheel alone in a fresh environment, then what README says, as it is typed; needs an index
# of packages
test-newcomer: build ## the commands of README as they are typed, with the wheel alone
	$(BIN)/python tests/newcomer/run.py dist/*.whl

# the report in a headless browser; needs Chromium (Debian: chromium), or EDGE_ARSEG_CHROMIUM=/where/it/is
test-browser: $(VENV)/.host ## the pages of report and run --serve in Chromium
	$(BIN)/python -m pytest -m browser tests/bench/report tests/serve

# ten thousand damaged clips, images, streams and bundles, a quarter of an hour or more; a thousand are in test-slow
fuzz: $(VENV)/.host ## ten thousand damaged inputs; a quarter of an hour or more
	$(BIN)/python tests/fuzz/run.py --jobs 2 --record benchmarks/results/fuzz.json

lint: style types ## ruff, layers of imports, words, mypy

style: $(VENV)/.host ## ruff, layers of imports, words
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/python -m tools.words.check

types: $(VENV)/.host ## mypy
	$(BIN)/mypy

format: $(VENV)/.host ## ruff, which mends what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# the pages as a site, build/site/index.html; a dead link is an error
docs: $(VENV)/.docs ## the pages as a site, build/site/index.html
	$(BIN)/python -m sphinx -q -W --keep-going -c docs -d build/doctrees -b html . build/site
	@echo "build/site/index.html"

# asks each server that a page links to
links: $(VENV)/.device ## whether every address in the pages answers
	$(BIN)/python tools/links.py --fetch

# tables in docs/ that are generated from the code; that of the CUDA kernel needs nvcc or NVRTC, and comes last
tables: $(VENV)/.host ## the pages that are generated
	$(BIN)/python tools/python_page.py
	$(BIN)/python tools/command_line_page.py
	$(BIN)/python benchmarks/gmacs.py
	$(BIN)/python benchmarks/cuda_resources.py

# frame times, about ten minutes on an idle machine; goes on where it was interrupted
bench-cpu: $(VENV)/.host ## frame times of docs/benchmarks_cpu.md; ten minutes on an idle machine
	$(BIN)/python benchmarks/bench_cpu.py

# docs/report/: the bundles of the package on this machine, as a page, its record and pictures; six minutes on an idle
# machine. make report CLIP=highway.mp4 LABELLED=camvid/val (folders images and labels); without them the rendered street,
# and no accuracy
REPORT := docs/report
CLIP_OR_STREET = $(or $(CLIP),test://street?size=360x480&frames=240)
ACCURACY = $(if $(LABELLED),--clip 'images://$(LABELLED)/images/*.png?rate=15' --labels $(LABELLED)/labels --encode 1M --optical-flow)
report: $(VENV)/.host ## docs/report, the bundles of the package on this machine; six minutes
	mkdir -p $(REPORT) build/report
	$(BIN)/edge-arseg bench '$(CLIP_OR_STREET)' $(ACCURACY) -b camvid-compact -b camvid-compact-int8 --mode ar,hr,lr \
		--matrix backend=onnxruntime,openvino --layers -o $(REPORT)/bench.json --force
	$(BIN)/edge-arseg report $(REPORT)/bench.json -o $(REPORT)/bench.html --pngs build/report --force
	cp build/report/trade-mean-ms.png build/report/stages.png $(REPORT)/
	-cp build/report/distance.png $(REPORT)/

# the shipped bundles of a model from the data, into build/zoo: hours, and goes on where it was interrupted; FOLDER holds
# camvid/ and clips/: make zoo DATA=FOLDER, or make zoo DATA=FOLDER MODEL=camvid-lite1
MODEL := camvid-compact
zoo: $(VENV)/.host ## the bundles of the package from the data, make zoo DATA=FOLDER; hours
	$(BIN)/python -m tools.zoo.build tools/zoo/$(MODEL).toml -o build/zoo/$(MODEL) \
		--data $(or $(DATA),$(error make zoo DATA=FOLDER, which holds camvid/ and clips/))

# the compiled kernels that are shipped, after a change of what they are compiled from; needs ld, and that of aarch64
# (Debian: binutils-aarch64-linux-gnu)
kernels: $(VENV)/.host ## the compiled kernels that are shipped
	$(BIN)/python -m edge_arseg.compiler.kernels.native

# docs/demo.webp, docs/demo.png and docs/street.png; needs the highway clip: make pictures CLIP=highway.mp4
pictures: $(VENV)/.host ## the pictures of README, make pictures CLIP=highway.mp4
	$(VENV)/bin/python tools/pictures.py $(CLIP)

# what it costs to begin, beside another checkout: make start-up AGAINST=../base
AGAINST := ../base
start-up: $(VENV)/.host ## what a start costs beside another checkout, make start-up AGAINST=../base
	$(BIN)/python benchmarks/start_up.py --against $(AGAINST)

# builds, checks and times the CUDA kernel on the GPU that is there, with any Python that has torch with CUDA:
# make test-gpu GPU_PYTHON=python3
GPU_PYTHON := $(BIN)/python
test-gpu: ## the CUDA kernel on the GPU that is here
	$(GPU_PYTHON) tools/gpu/check_gpu.py --record benchmarks/results/gpu_fusion.json

# every graph of every variant in every precision through TensorRT-RTX, which needs no GPU; half an hour, and goes on
# where it was interrupted
graphs-gate: $(VENV)/.host ## every graph through TensorRT-RTX, without a GPU; half an hour
	$(BIN)/python -m pytest -m gate tests
	$(BIN)/python tools/check_variants.py --record benchmarks/results/graphs_gate.json

# The device half on machines that are not this one; each keeps a record in benchmarks/results, and CONTRIBUTING.md says
# what each needs. Roots and environments are cached in ~/.cache/edge-arseg-machines (or EDGE_ARSEG_MACHINES), where
# `make clean` leaves them.
test-cpus: $(VENV)/.host ## the device half on other x86 CPUs, emulated
	$(BIN)/python -m tools.machines.cpus

test-arm64: $(VENV)/.device ## the device half on Debian 12 for aarch64, emulated
	$(BIN)/python -m tools.machines.arm64

# with another Python: make test-oldest OLDEST_PYTHON=python3.10
OLDEST_PYTHON := $(BIN)/python
test-oldest: $(VENV)/.host ## the device half with the oldest packages that setup.cfg allows
	$(BIN)/python -m tools.machines.oldest --python $(OLDEST_PYTHON)

test-newest: $(VENV)/.device ## the device half on Debian 13 with the newest packages
	$(BIN)/python -m tools.machines.newest

golden: $(VENV)/.host ## the golden files of the reference, in ../shared/golden
	$(BIN)/python tools/check_golden.py ../shared/golden

build: $(VENV)/.host ## the wheel, in dist/
	$(BIN)/python -m build --wheel --outdir dist

clean: ## removes .venv, build, dist and the caches
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
