"""What scripts/package makes: contents, modes, licenses; the same each time."""

import gzip
import json
import re
import subprocess

from fixtures.packages import (ROOT, Content, Packages, deb_content, deb_field, ipk_members,
                               tar_content)

BINARY = {"usr/bin/leat", "usr/lib/leat/take-config", "usr/share/leat/leat.json",
          "usr/share/doc/leat/copyright", "usr/share/doc/leat/leat.spdx.json",
          "usr/share/doc/leat/notices.gz"}
FULL = BINARY | {"usr/lib/systemd/system/leat.service", "etc/init.d/leat",
                 "usr/lib/udev/rules.d/60-leat-serial.rules", "usr/share/man/man1/leat.1.gz",
                 "usr/share/bash-completion/completions/leat", "usr/share/zsh/vendor-completions/_leat",
                 "usr/share/fish/vendor_completions.d/leat.fish",
                 "usr/share/doc/leat/changelog.gz"} | {
    f"usr/share/doc/leat/examples/{path.name}" for path in (ROOT / "config" / "examples").glob("*.json")}
EXECUTABLE = {"usr/bin/leat", "usr/bin/leat-fleet", "usr/lib/leat/take-config", "etc/init.d/leat",
              "etc/hotplug.d/tty/60-leat", "install.sh"}


def check_owners_and_modes(content, epoch):
    for name, member in content.members.items():
        executable = member.isdir() or name in EXECUTABLE
        assert (member.uid, member.gid) == (0, 0), name
        assert member.mode == (0o755 if executable else 0o644), f"{name}: {member.mode:o}"
        assert member.mtime == epoch, name
        assert member.isdir() or member.isfile(), name


def epoch_of_commit():
    return int(subprocess.run(["git", "log", "-1", "--format=%ct"], cwd=ROOT, capture_output=True,
                              text=True, check=True).stdout)


def test_the_deb_has_what_belongs_on_debian(packages):
    content = deb_content(packages.deb)
    assert content.files() == FULL | {"usr/share/doc/leat/changelog.Debian.gz",
                                      "usr/share/lintian/overrides/leat"}
    check_owners_and_modes(content, epoch_of_commit())
    assert content.data("usr/bin/leat") == (ROOT / "build" / packages.preset / "leat").read_bytes()
    assert deb_field(packages.deb, "Architecture") == packages.arch
    assert deb_field(packages.deb, "Depends") == "adduser"
    assert packages.version in content.text("usr/share/doc/leat/changelog.Debian.gz")


def test_the_tarball_has_what_belongs_on_any_linux(packages):
    content = tar_content(packages.tarball)
    top = packages.tarball.name.removesuffix(".tar.gz")
    assert content.files() == {f"{top}/{name}" for name in FULL | {"install.sh", "README.md", "LICENSE"}}
    content.members = {name.removeprefix(top + "/"): member for name, member in content.members.items()}
    check_owners_and_modes(content, epoch_of_commit())


def test_the_ipk_is_what_opkg_reads(made):
    """Debian has no opkg: the form is that of OpenWrt's scripts/ipkg-build."""
    for preset, arch in (("armhf", "arm_cortex-a7_neon-vfpv4"), ("arm64", "aarch64_cortex-a53")):
        members = ipk_members(made[preset].ipk)
        assert list(members) == ["./debian-binary", "./data.tar.gz", "./control.tar.gz"]
        assert members["./debian-binary"] == b"2.0\n"
        data = Content(gzip.decompress(members["./data.tar.gz"]))
        control = Content(gzip.decompress(members["./control.tar.gz"]))
        assert data.files() == BINARY | {"etc/init.d/leat", "etc/hotplug.d/tty/60-leat",
                                         "lib/upgrade/keep.d/leat"}
        check_owners_and_modes(data, epoch_of_commit())
        assert control.files() == {"control", "postinst", "prerm"}
        assert control.members["postinst"].mode == 0o755
        fields = dict(line.split(": ", 1) for line in control.text("control").splitlines())
        assert fields["Architecture"] == arch
        assert fields["Version"] == made[preset].version.rpartition("-")[0] + "-r1"
        assert int(fields["Installed-Size"]) > 1_000_000
        # Not below /var, which is in memory on OpenWrt; and a firmware upgrade keeps it.
        folder = json.loads(data.text("usr/share/leat/leat.json"))["agent"]["dataDir"]
        assert folder == "/srv/leat" and f"{folder}/" in data.text("lib/upgrade/keep.d/leat").split()


def test_the_opkg_architecture_can_be_chosen(tmp_path):
    done = Packages("armhf", tmp_path, "--opkg-arch", "arm_cortex-a9_vfpv3-d16")
    assert done.ipk.name.endswith("_arm_cortex-a9_vfpv3-d16.ipk")


def test_packing_again_gives_the_same_bytes(made, packages, tmp_path):
    again = Packages(packages.preset, tmp_path)
    for one, other in zip(packages.files, again.files, strict=True):
        assert one.name == other.name
        assert one.read_bytes() == other.read_bytes(), one.name


def test_versions_of_successive_builds_sort(made, newer):
    def less(one, other):
        return subprocess.run(["dpkg", "--compare-versions", one, "lt", other], check=False).returncode == 0

    now = made["static"].version
    assert less(now, newer.version)
    project = re.search(r"project\(leat VERSION (\S+)", (ROOT / "CMakeLists.txt").read_text())[1]
    assert now.startswith(project)
    assert less(f"{project}~git20260101.000000.fffffff-1", f"{project}~git20260101.000001.0000000-1")
    assert less(f"{project}~git20991231.000000.fffffff-1", f"{project}-1")
    assert less(f"{project}-1", f"{project}+git20260101.000000.0000000-1")


def test_lintian_has_nothing_to_say_but_for_the_named_exceptions(packages):
    done = subprocess.run(["lintian", "--allow-root", "--show-overrides", "--tag-display-limit", "0",
                           packages.deb], capture_output=True, text=True, check=False)
    said = [line for line in done.stdout.splitlines() if not line.startswith("N:")]
    assert done.stderr == ""
    excepted = deb_content(packages.deb).text("usr/share/lintian/overrides/leat").splitlines()
    assert excepted[0].startswith("#"), "a reason stands above the exceptions"
    assert sorted(said) == sorted(f"O: {line}" for line in excepted if not line.startswith("#"))


def test_each_library_in_the_binary_has_its_license_in_the_copyright_file(packages):
    content = deb_content(packages.deb)
    paragraphs = {}
    for paragraph in content.text("usr/share/doc/leat/copyright").split("\n\n"):
        fields = dict(re.findall(r"^(\S+): *(.*)", paragraph, re.M))
        if fields.get("Files", "").startswith("linked/"):
            paragraphs[fields["Files"].removeprefix("linked/").removesuffix("/*")] = fields["License"]
    listed = json.loads(content.text("usr/share/doc/leat/leat.spdx.json"))["packages"]
    known = {"MIT": "Expat", "blessing": "public-domain", "Apache-2.0": "Apache-2.0", "Zlib": "Zlib",
             "LGPL-3.0-or-later": "LGPL-3+", "LGPL-2.1-or-later": "LGPL-2.1+", "CC0-1.0": "CC0-1.0",
             "GPL-3.0-or-later WITH GCC-exception-3.1": "GPL-3+ with GCC exception"}
    linked = {package["SPDXID"].removeprefix("SPDXRef-"): known[package["licenseConcluded"]]
              for package in listed if package["name"] != "leat"}
    assert linked and paragraphs == linked
    notices = content.text("usr/share/doc/leat/notices.gz")
    for holder in ("Joyent", "Martin Ling", "Dave Gamble", "The Mbed TLS Contributors", "Mark Adler",
                   "GNU LESSER GENERAL PUBLIC LICENSE"):
        assert holder in notices


def test_leat_fleet_has_a_package_of_its_own_for_desks():
    subprocess.run([ROOT / "scripts" / "package", "fleet"], check=True, capture_output=True)
    deb, = (ROOT / "build" / "packages").glob("leat-fleet_*.deb")
    content = deb_content(deb)
    assert content.files() == {"usr/bin/leat-fleet", "usr/share/lintian/overrides/leat-fleet"} | {
        f"usr/share/doc/leat-fleet/{name}"
        for name in ("README.md", "changelog.Debian.gz", "copyright")}
    check_owners_and_modes(content, epoch_of_commit())
    depends = deb_field(deb, "Depends")
    assert "libpaho-mqtt1.3" in depends and "libssl3" in depends
    done = subprocess.run(["lintian", "--fail-on", "error,warning", deb], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
