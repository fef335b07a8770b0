"""Folders, programs and packages: everything is below one throwaway folder, and nothing is installed in the system."""

import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[3]
BENCH_D = ROOT / "scripts" / "bench.d"


def commit():
    """Which state of the project is measured, if that can be known."""
    asked = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True, check=False)
    return f", commit {asked.stdout.strip()}" if asked.returncode == 0 else ""


class Missing(Exception):
    """Something can't be had here; the row says why."""


class Place:
    """Where a run of the benchmarks keeps its things."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder).resolve()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.runs = self.folder / "runs"
        shutil.rmtree(self.runs, ignore_errors=True)
        self.runs.mkdir()
        self.made = 0

    def fresh(self, name):
        """An empty folder that nobody else has."""
        self.made += 1
        folder = self.runs / f"{self.made:03}-{name}"
        folder.mkdir()
        return folder

    def build(self):
        """The programs of this project, and the ones it is compared with."""
        run(["cargo", "build", "--release", "--locked", "-p", "sched", "-p", "sched-benches"], cwd=ROOT)
        self.sched = ROOT / "target" / "release" / "sched"
        self.claims = ROOT / "target" / "release" / "claims"
        target = self.folder / "peers"
        run(["cargo", "build", "--release", "--locked", "--target-dir", target], cwd=BENCH_D)
        self.stamp = target / "release" / "stamp"
        self.bare = target / "release" / "bare"
        self.tokio_cron = target / "release" / "tokio_cron"

    def python(self, name, *packages):
        """The interpreter of an environment with these packages."""
        venv = self.folder / name
        if not (venv / "complete").exists():
            shutil.rmtree(venv, ignore_errors=True)
            try:
                run([sys.executable, "-m", "venv", venv])
                run([venv / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check", *packages])
            except subprocess.CalledProcessError as error:
                raise Missing(f"pip could not install {' '.join(packages)} (exit {error.returncode})") from error
            (venv / "complete").touch()
        return venv / "bin" / "python"

    def debian(self, package, program):
        """A program from a Debian package, unpacked below the folder."""
        unpacked = self.folder / "debian" / package
        found = unpacked / program
        if not found.exists():
            if not shutil.which("apt-get") or not shutil.which("dpkg"):
                raise Missing(f"no apt-get here to fetch `{package}` with")
            unpacked.mkdir(parents=True, exist_ok=True)
            try:
                fetch(package, unpacked)
            except subprocess.CalledProcessError as error:
                raise Missing(f"apt-get could not fetch `{package}` (exit {error.returncode})") from error
            for file in unpacked.glob("*.deb"):
                run(["dpkg", "-x", file, unpacked])
        if not found.exists():
            raise Missing(f"the package `{package}` has no /{program}")
        return found

    def debian_version(self, package):
        """The version of a package that was fetched."""
        file = next((self.folder / "debian" / package).glob("*.deb"))
        asked = subprocess.run(["dpkg-deb", "-f", file, "Version"], capture_output=True, text=True, check=True)
        return asked.stdout.strip()


def fetch(package, folder):
    """apt-get, with its lists made anew if it doesn't know the package."""
    command = ["apt-get", "-qq", "-o", "APT::Sandbox::User=root", "download", package]
    try:
        run(command, cwd=folder)
    except subprocess.CalledProcessError:
        run(["apt-get", "-qq", "update"])
        run(command, cwd=folder)


def run(command, cwd=None):
    """Runs to its end; what it says goes to stderr, since stdout is for tables."""
    subprocess.run([str(word) for word in command], cwd=cwd, check=True, stdin=subprocess.DEVNULL, stdout=sys.stderr)
