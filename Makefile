# A thin front: Meson does the building. `make` builds build/rollcall.
.PHONY: all check soak bench asan clang fuzz clean install deb
all: build/build.ninja
	@ninja -C build
build/build.ninja:
	@scripts/setup.sh build
	meson setup build
check:
	./check.sh
soak:
	./check.sh --soak
bench: all
	@scripts/setup.sh test
	/usr/bin/python3 bench/run.py
asan:
	@test -d build-asan || meson setup build-asan -Db_sanitize=address,undefined -Db_lundef=false
	@ninja -C build-asan
clang:
	@test -d build-clang || CC=clang meson setup build-clang
	@ninja -C build-clang
fuzz:
	@test -d build-fuzz || CC=clang meson setup build-fuzz -Dfuzz=true -Db_sanitize=address,undefined -Db_lundef=false
	@ninja -C build-fuzz
install: all
	meson install -C build
# The Debian package, in build/deb; compiled anew with Debian's flags.
deb:
	@scripts/setup.sh build
	packaging/deb.sh
clean:
	rm -rf build build-asan build-clang build-fuzz
