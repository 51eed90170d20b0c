# The workflow of scripts/sweep; its folder holds grid.json, which names the jobs.
import json
import re
import shlex
import shutil
import subprocess
import sys

with open("grid.json", encoding="utf-8") as file:
    grid = json.load(file)
jobs = {job["name"]: job["arguments"] for job in grid["jobs"]}
program = grid["program"]
results = [f"jobs/{name}.json" for name in jobs]
# `xfq report` draws with gnuplot; a machine without it gets no page.
can_report = shutil.which("gnuplot") is not None


wildcard_constraints:
    name="|".join(re.escape(name) for name in jobs),


localrules:
    all,
    merge,
    report,


rule all:
    input:
        results,
        "results.ndjson",
        "report.html" if can_report else [],


# A result is written whole or not at all; one line of JSON, so that merging is joining.
rule run:
    output:
        "jobs/{name}.json",
    log:
        "log/{name}.log",
    threads: grid["threads"]
    resources:
        mem_mb=grid["memory"],
        runtime=grid["minutes"],
    params:
        command=lambda wildcards: shlex.join(
            [program, grid["experiment"], *jobs[wildcards.name], "--format", "ndjson"]
        ),
    shell:
        "{params.command} --threads {threads} --output {output:q} 2> {log:q}"


rule merge:
    input:
        results,
    output:
        "results.ndjson",
    run:
        builds = set()
        with open(output[0], "w", encoding="utf-8") as merged:
            for path in input:
                with open(path, encoding="utf-8") as file:
                    line = file.read()
                merged.write(line)
                environment = json.loads(line)["environment"]
                builds.add((environment["version"], environment["git"]))
        if len(builds) > 1:
            print(f"sweep: the results come from {len(builds)} builds of xfq", file=sys.stderr)


rule report:
    input:
        "results.ndjson",
    output:
        "report.html",
    shell:
        "{program:q} report {input:q} --output {output:q}"
