"""What runs elsewhere (workflows, Binder) asks only for what the repository has."""

import json
import os
import re
import subprocess
import tomllib

import pytest
import yaml

from plm_geometry.base import paths

WORKFLOWS = sorted((paths.ROOT / ".github" / "workflows").glob("*.yml"))
BINDER = paths.ROOT / ".binder"
TARGETS = set(re.findall(r"^([a-z]+):", (paths.ROOT / "Makefile").read_text(), re.MULTILINE))


def read(path):
    return yaml.safe_load(path.read_text())


def steps(workflow):
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


def triggers(workflow):
    return workflow[True]  # YAML 1.1 reads `on` as a truth value


def test_there_is_one_that_publishes_and_one_that_runs_by_the_clock():
    found = {path.stem: triggers(read(path)) for path in WORKFLOWS}
    assert "push" in found["publish"]
    assert "cron" in found["weekly"]["schedule"][0]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_each_command_is_a_target_of_the_makefile(path):
    commands = [step["run"] for step in steps(read(path)) if "run" in step]
    assert commands
    for command in commands:
        assert re.fullmatch(r"make [a-z]+", command), command
        assert command.removeprefix("make ") in TARGETS, command


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_each_action_is_of_a_stated_version(path):
    used = [step["uses"] for step in steps(read(path)) if "uses" in step]
    assert used
    assert all(re.fullmatch(r"actions/[a-z-]+@v\d+", name) for name in used)


def test_what_ci_runs_is_run_before_anything_is_published():
    commands = {step.get("run") for step in read(WORKFLOWS[0])["jobs"]["build"]["steps"]}
    own = re.findall(r"^make .*", (paths.ROOT / ".ci" / "run").read_text(), re.MULTILINE)
    assert len(own) == 3
    assert {*own, "make pages", "make pdf"} <= commands
    assert read(WORKFLOWS[0])["jobs"]["deploy"]["needs"] == "build"


def test_executed_notebooks_are_kept_also_of_a_failed_run():
    kept = [step for step in steps(read(WORKFLOWS[0])) if "book/chapters" in
            step.get("with", {}).get("path", "")]  # fmt: skip
    assert [step["if"] for step in kept] == ["always()"]


def test_every_target_is_explained_and_phony():
    makefile = (paths.ROOT / "Makefile").read_text()
    phony = set(re.search(r"^\.PHONY: (.*)", makefile, re.MULTILINE)[1].split())
    explained = set(re.findall(r"^([a-z]+):.*## \S", makefile, re.MULTILINE))
    assert TARGETS == phony == explained


def test_axe_core_is_pinned_and_locked():
    pinned = json.loads((paths.ROOT / "package.json").read_text())["devDependencies"]
    locked = json.loads((paths.ROOT / "package-lock.json").read_text())["packages"]
    assert re.fullmatch(r"\d+\.\d+\.\d+", pinned["axe-core"])
    assert locked["node_modules/axe-core"]["version"] == pinned["axe-core"]


def test_binder_installs_the_package_as_pinned():
    script = (BINDER / "postBuild").read_text()
    [extra] = re.findall(r'--editable "\.\[(\w+)\]"', script)
    project = tomllib.loads((paths.ROOT / "pyproject.toml").read_text())["project"]
    assert extra in project["optional-dependencies"]
    [constraints] = re.findall(r"--constraint (\S+)", script)
    assert (paths.ROOT / constraints).is_file()
    assert os.access(BINDER / "postBuild", os.X_OK)
    assert subprocess.run(["bash", "-n", BINDER / "postBuild"], check=False).returncode == 0
    [python] = [need for need in read(BINDER / "environment.yml")["dependencies"]
                if str(need).startswith("python=")]  # fmt: skip
    assert python.removeprefix("python=") in project["requires-python"]
