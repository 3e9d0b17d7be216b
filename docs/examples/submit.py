"""Trains a small model on handwritten digits and downloads it: python3 submit.py FOLDER

TIDEMILL_URL and TIDEMILL_API_KEY say where and as whom. Needs the Python client: pip install ./client/python
"""

import os
import sys
from pathlib import Path

from tidemill import Tidemill, TidemillError

DIGITS = Path(__file__).parents[2] / "bench" / "data" / "digits"

with Tidemill(os.environ["TIDEMILL_URL"], os.environ["TIDEMILL_API_KEY"]) as tidemill:
    images = tidemill.artifacts.put(DIGITS / "train-images.npy")
    labels = tidemill.artifacts.put(DIGITS / "train-labels.npy")
    layers = [
        {"class_name": "Flatten", "config": {"batch_input_shape": [None, 8, 8, 1]}},
        {"class_name": "Dense", "config": {"units": 10, "activation": "softmax"}},
    ]
    try:
        job = tidemill.jobs.create({
            "kind": "training",
            "name": "digits-from-python",
            "runtime": {"tfjs": {
                "model": {"topology": {"class_name": "Sequential", "config": {"layers": layers}}},
                "data": {
                    "train": {"arrays": {"images": images["digest"], "labels": labels["digest"]}},
                    "features": {"array": "images"},
                    "label": {"array": "labels", "classes": 10},
                    "scale": {"divide": 16},
                },
                "loss": "sparseCategoricalCrossentropy",
                "optimizer": {"type": "adam", "learningRate": 0.01},
                "metrics": ["accuracy"], "epochs": 3, "batchSize": 64, "seed": 7,
            }},
            "resources": {"cpu": 0.5, "memory": "900MB"},
            "limits": {"maxDuration": "10m"},
            "verify": "none",
        })
    except TidemillError as error:
        raise SystemExit(f"{error.detail} {error.next}") from error
    print(f"{job['id']} accepted, {job['hold']} base units held")
    for event in tidemill.jobs.events(job["id"]):
        print(event["type"])
    done = tidemill.jobs.wait(job["id"], timeout_s=60)
    for output in tidemill.jobs.outputs(job["id"]):
        tidemill.artifacts.download(output["digest"], Path(sys.argv[1]) / output["name"])
    print(f"{done['name']} {done['state']} for {done['cost']} base units; {tidemill.account()['available']} left")
