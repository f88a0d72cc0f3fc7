# The front door. `make help` lists what there is.
# BUILD is the build folder; DESTDIR and PREFIX are for `make install`.

BUILD  ?= build
PREFIX ?= /usr/local
PICTURE = tests/fixtures/astronaut.jpg

.PHONY: all help demo test check bench fuzz format install clean

all: $(BUILD)/build.ninja
	ninja -C $(BUILD)

$(BUILD)/build.ninja:
	tools/setup.sh build
	meson setup $(BUILD) --prefix $(PREFIX)

help:
	@echo 'make            build the program and the library in $(BUILD)/'
	@echo 'make demo       the apparent expressions in a bundled picture'
	@echo 'make test       set up, build and run every test'
	@echo 'make check      what CI runs: the tests, then sanitizers, fuzzing, format, structure'
	@echo 'make bench      measure against OpenCV, ONNX Runtime, face-api and PyTorch on the same work'
	@echo 'make fuzz       fuzz every reader, FUZZ_SECONDS=60 each'
	@echo 'make format     format the sources'
	@echo 'make install    install under $(PREFIX) (DESTDIR is honoured)'
	@echo 'make clean      remove the build folders'

demo: all
	@tools/demo.sh $(BUILD)/mien $(PICTURE)

test:
	tools/setup.sh build test
	$(MAKE) all
	meson test -C $(BUILD) --print-errorlogs

check:
	bash .ci/run

bench: all
	tools/setup.sh build bench
	/usr/bin/python3 bench/cascade_vs_opencv.py --mien $(BUILD)/bench/cascade_boxes
	/usr/bin/python3 bench/inference_vs_onnxruntime.py --build $(BUILD)
	/usr/bin/python3 bench/frame_vs_python.py --build $(BUILD)
	/usr/bin/python3 bench/frame_vs_face_api.py --build $(BUILD)
	/usr/bin/python3 bench/cold_start.py --mien $(BUILD)/mien
	/usr/bin/python3 bench/training_vs_pytorch.py --mien $(BUILD)/mien

FUZZ_SECONDS ?= 60
fuzz:
	tools/setup.sh build check
	tools/fuzz.sh $(FUZZ_SECONDS)

format:
	git ls-files '*.c' '*.h' | xargs clang-format -i

install: all
	meson install -C $(BUILD) --no-rebuild

clean:
	rm -rf $(BUILD) build-*
