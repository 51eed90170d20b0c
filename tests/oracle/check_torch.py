#!/usr/bin/python3
"""Holds the engine against PyTorch.

    check_torch.py ORACLE_DUMP

Runs the program ORACLE_DUMP, loads the checkpoints that it writes into the plain
models below, which follow the papers' equations and share no code with the engine,
and compares logits, losses, every gradient and the parameters after 10 AdamW steps.
The reference is PyTorch in float64; PyTorch in float32 goes through the same
comparison, to show what rounding alone does. Exit code 0: all within their bounds;
1: not; 77: PyTorch is not installed.
"""

import json
import math
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

try:
    import torch
except ImportError:
    print("skipped: python3 has no torch (Debian: apt install python3-torch)")
    sys.exit(77)

# Largest allowed ||ours - reference|| / ||reference||, per tensor.
#
# float32 rounds to 6e-8. A gradient passes some tens of operations, each a sum of up
# to some hundred terms, whose errors add like a random walk: about 1e-6 is to be
# expected, and 1e-5 is what the project promises.
GRADIENT_BOUND = 1e-5
LOGITS_BOUND = 1e-5
LOSS_BOUND = 1e-6
# An update is lr * m / (sqrt(v) + epsilon): an error d of a gradient moves a parameter
# by about lr * d / epsilon a step at most. The gradients are clipped to norm 0.5 and
# have errors of about 1e-6 of that; with epsilon 1e-3, rates up to 1e-2 and 10 steps a
# tensor moves by at most 10 * 1e-2 * 5e-7 / 1e-3 = 5e-5, against norms of 1 and more
# (but for the classifier's few biases). Rounding of the parameters adds 10 * 6e-8.
TRAINED_BOUND = 5e-5
# The losses of later steps see the same errors through the parameters.
LATER_LOSS_BOUND = 1e-5
# With AdamW's usual epsilon, 1e-8, an element whose gradient is hardly larger than its
# rounding error moves by up to a full step the wrong way. Such elements are few and
# PyTorch's own float32 is off by 2e-6; 1e-4 leaves room for other processors.
USUAL_TRAINED_BOUND = 1e-4


def read_safetensors(path):
    """A reader of its own: tensors as float32, and the metadata."""
    data = Path(path).read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length].decode("utf-8"))
    assert length % 8 == 0, "the data is not aligned"
    metadata = header.pop("__metadata__", {})
    assert all(isinstance(text, str) for text in metadata.values())
    tensors = {}
    expected = 0
    for name, info in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
        begin, end = info["data_offsets"]
        assert info["dtype"] == "F32" and begin == expected, name
        assert end - begin == 4 * math.prod(info["shape"]), name
        expected = end
        chunk = bytearray(data[8 + length + begin : 8 + length + end])
        tensors[name] = torch.frombuffer(chunk, dtype=torch.float32).reshape(info["shape"])
    assert 8 + length + expected == len(data), "bytes beyond the last tensor"
    return tensors, metadata


def layer_norm(x, weight, bias, epsilon):
    """Ba et al. 2016."""
    mean = x.mean(-1, keepdim=True)
    variance = ((x - mean) ** 2).mean(-1, keepdim=True)
    y = (x - mean) / torch.sqrt(variance + epsilon) * weight
    return y if bias is None else y + bias


def gelu_tanh(x):
    """Hendrycks & Gimpel 2016, the approximation that GPT-2 uses."""
    return 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


def gelu_erf(x):
    return 0.5 * x * (1 + torch.erf(x / math.sqrt(2)))


def attention(q, k, v, heads, causal, lengths):
    """Vaswani et al. 2017, equation 1, per head; keys that are not seen get -inf."""
    batch, time, dim = q.shape
    size = dim // heads
    outputs = []
    for h in range(heads):
        part = slice(h * size, (h + 1) * size)
        scores = q[..., part] @ k[..., part].transpose(1, 2) / math.sqrt(size)
        hidden = torch.zeros(batch, time, time, dtype=torch.bool)
        if causal:
            hidden |= torch.ones(time, time).triu(1).bool()
        if lengths is not None:
            hidden |= (torch.arange(time)[None, :] >= lengths[:, None])[:, None, :]
        outputs.append(scores.masked_fill(hidden, -math.inf).softmax(-1) @ v[..., part])
    return torch.cat(outputs, -1)


def nats(logits, targets):
    """-log p of every target; targets must be valid."""
    return -logits.log_softmax(-1).gather(-1, targets[:, None])[:, 0]


class Decoder:
    """GPT-2 (Radford et al. 2019); matrices are [in, out]."""

    def __init__(self, parameters, metadata):
        self.p = parameters
        self.layers = int(metadata["layers"])
        self.heads = int(metadata["heads"])

    def linear(self, name, x):
        y = x @ self.p[name + ".weight"]
        bias = self.p.get(name + ".bias")
        return y if bias is None else y + bias

    def norm(self, name, x):
        return layer_norm(x, self.p[name + ".weight"], self.p.get(name + ".bias"), 1e-5)

    def outputs(self, batch, lengths):
        time = batch["inputs"].shape[1]
        x = self.p["transformer.wte.weight"][batch["inputs"]]
        x = x + self.p["transformer.wpe.weight"][:time]
        for layer in range(self.layers):
            h = f"transformer.h.{layer}."
            q, k, v = self.linear(h + "attn.c_attn", self.norm(h + "ln_1", x)).chunk(3, -1)
            x = x + self.linear(h + "attn.c_proj", attention(q, k, v, self.heads, True, lengths))
            x = x + self.linear(
                h + "mlp.c_proj", gelu_tanh(self.linear(h + "mlp.c_fc", self.norm(h + "ln_2", x)))
            )
        x = self.norm("transformer.ln_f", x)
        return {"logits": (x @ self.p["transformer.wte.weight"].T).flatten(0, 1)}

    def losses(self, outputs, batch, _run):
        targets = batch["targets"].flatten()
        used = targets >= 0
        mean = nats(outputs["logits"][used], targets[used]).mean()
        return mean, [mean]


class Encoder:
    """BERT (Devlin et al. 2019); matrices are [out, in]."""

    def __init__(self, parameters, metadata):
        self.p = parameters
        self.layers = int(metadata["layers"])
        self.heads = int(metadata["heads"])

    def linear(self, name, x):
        return x @ self.p[name + ".weight"].T + self.p[name + ".bias"]

    def norm(self, name, x):
        return layer_norm(x, self.p[name + ".weight"], self.p[name + ".bias"], 1e-12)

    def outputs(self, batch, lengths):
        table = self.p["bert.embeddings.word_embeddings.weight"]
        time = batch["inputs"].shape[1]
        x = table[batch["inputs"]]
        x = x + self.p["bert.embeddings.position_embeddings.weight"][:time]
        x = x + self.p["bert.embeddings.token_type_embeddings.weight"][batch["segments"]]
        x = self.norm("bert.embeddings.LayerNorm", x)
        for layer in range(self.layers):
            h = f"bert.encoder.layer.{layer}."
            parts = ("query", "key", "value")
            q, k, v = (self.linear(h + f"attention.self.{part}", x) for part in parts)
            context = attention(q, k, v, self.heads, False, lengths)
            x = self.norm(
                h + "attention.output.LayerNorm",
                x + self.linear(h + "attention.output.dense", context),
            )
            inner = gelu_erf(self.linear(h + "intermediate.dense", x))
            x = self.norm(h + "output.LayerNorm", x + self.linear(h + "output.dense", inner))
        outputs = {"hidden": x.flatten(0, 1)}
        masked = gelu_erf(
            self.linear("cls.predictions.transform.dense", outputs["hidden"][batch["masked_rows"]])
        )
        masked = self.norm("cls.predictions.transform.LayerNorm", masked)
        outputs["logits"] = masked @ table.T + self.p["cls.predictions.bias"]
        if "labels" in batch:
            pooled = torch.tanh(self.linear("bert.pooler.dense", x[:, 0]))
            outputs["pair_logits"] = self.linear("cls.seq_relationship", pooled)
        return outputs

    def losses(self, outputs, batch, run):
        masked = nats(outputs["logits"], batch["masked_targets"]).mean()
        if "labels" not in batch:
            return float(run["masked_weight"]) * masked, [masked]
        used = batch["labels"] >= 0
        labels = batch["labels"][used]
        terms = nats(outputs["pair_logits"][used], labels)
        weights = run["class_weights"].to(terms.dtype)[labels]
        sentence = (weights * terms).sum() / weights.sum()
        objective = float(run["masked_weight"]) * masked + float(run["sentence_weight"]) * sentence
        return objective, [masked, terms.mean()]


def learning_rate(run, step):
    """Warm-up and schedule as include/xfq/train/optimizer.h states them."""
    steps, warmup = int(run["steps"]), int(run["warmup"])
    top, bottom = float(run["lr"]), float(run["min_lr"])
    if step < warmup:
        return top * (step + 1) / (warmup + 1)
    if run["schedule"] == "constant":
        return top
    if run["schedule"] == "wsd":
        begin = max(warmup, 0.75 * steps)
        return top - (top - bottom) * max(0.0, (step - begin) / (steps - begin))
    share = (step - warmup) / (steps - warmup)
    if run["schedule"] == "linear":
        return top - (top - bottom) * share
    assert run["schedule"] == "cosine"
    return bottom + (top - bottom) * (1 + math.cos(math.pi * share)) / 2


def batch_of(run, step):
    names = ("inputs", "targets", "segments", "masked_rows", "masked_targets", "labels")
    keys = {name: f"{name}.{step}" for name in names}
    return {name: run[key].long() for name, key in keys.items() if key in run}


def recompute(folder, case, dtype):
    """What PyTorch makes of the case: the same quantities as the engine wrote."""
    tensors, metadata = read_safetensors(folder / f"{case}.model")
    run, settings = read_safetensors(folder / f"{case}.run")
    run.update(settings)
    parameters = {name: t.to(dtype).requires_grad_() for name, t in tensors.items()}
    kind = Decoder if metadata["model"] == "decoder" else Encoder
    model = kind(parameters, metadata)
    lengths = run["lengths"].long() if "lengths" in run else None
    matrices = [t for t in parameters.values() if t.dim() > 1]
    vectors = [t for t in parameters.values() if t.dim() == 1]
    optimizer = torch.optim.AdamW(
        [
            {"params": matrices, "weight_decay": float(run["weight_decay"])},
            {"params": vectors, "weight_decay": 0.0},
        ],
        betas=(float(run["beta1"]), float(run["beta2"])),
        eps=float(run["epsilon"]),
    )
    result = {"losses": [], "norms": []}
    for step in range(int(run["steps"])):
        # Parameters without a part in the loss have the gradient 0, not none.
        for t in parameters.values():
            t.grad = torch.zeros_like(t)
        batch = batch_of(run, step)
        outputs = model.outputs(batch, lengths)
        objective, losses = model.losses(outputs, batch, run)
        objective.backward()
        if step == 0:
            result["outputs"] = {name: t.detach().clone() for name, t in outputs.items()}
            result["gradients"] = {name: t.grad.clone() for name, t in parameters.items()}
        result["losses"].append(torch.stack(losses).detach())
        result["norms"].append(
            torch.nn.utils.clip_grad_norm_(list(parameters.values()), float(run["clip"])).detach()
        )
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(run, step)
        optimizer.step()
    result["losses"] = torch.stack(result["losses"])
    result["norms"] = torch.stack(result["norms"])
    result["trained"] = {name: t.detach() for name, t in parameters.items()}
    return result


def load(folder, case):
    """The same quantities as the engine computed them."""
    run, _ = read_safetensors(folder / f"{case}.run")
    return {
        "outputs": {name: run[name] for name in ("logits", "hidden", "pair_logits") if name in run},
        "gradients": read_safetensors(folder / f"{case}.gradients")[0],
        "losses": run["losses"],
        "norms": run["norms"],
        "trained": read_safetensors(folder / f"{case}.trained")[0],
    }


def error(ours, reference, scale=None):
    """||ours - reference|| / ||reference||, or over another scale; 0 / 0 is 0."""
    assert ours.shape == reference.shape, f"{tuple(ours.shape)}, {tuple(reference.shape)}"
    difference = torch.linalg.vector_norm(ours.double() - reference.double()).item()
    if not math.isfinite(difference):
        return math.inf
    if scale is None:
        scale = torch.linalg.vector_norm(reference.double()).item()
    return difference / scale if difference > 0 else 0.0


def without_key_bias(name, values):
    """The keys' biases as zeros: alone, or the middle third of GPT-2's c_attn.bias."""
    values = values.clone()
    if name.endswith(".key.bias"):
        values.zero_()
    elif name.endswith(".c_attn.bias"):
        values.chunk(3)[1].zero_()
    return values


def compare(ours, reference, usual):
    """Rows of (quantity, worst error, where, bound)."""
    rows = []

    def worst(quantity, errors, bound):
        name = max(errors, key=errors.get)
        rows.append((quantity, errors[name], name, bound))

    assert ours["outputs"].keys() == reference["outputs"].keys()
    worst(
        "logits and hidden states",
        {n: error(t, reference["outputs"][n]) for n, t in ours["outputs"].items()},
        LOGITS_BOUND,
    )
    pairs = list(zip(ours["losses"], reference["losses"]))
    worst("loss", {"step 1": error(*pairs[0])}, LOSS_BOUND)
    worst("gradient norm", {"step 1": error(ours["norms"][0], reference["norms"][0])}, GRADIENT_BOUND)

    gradients = {}
    assert ours["gradients"].keys() == reference["gradients"].keys()
    for name, gradient in ours["gradients"].items():
        # The bias of the keys adds the same to all scores of a query, which softmax
        # does not see: its gradient is 0. It is held against the queries' instead.
        scale = None
        if name.endswith(".key.bias"):
            sibling = reference["gradients"][name.replace(".key.", ".query.")]
            scale = torch.linalg.vector_norm(sibling.double()).item()
        gradients[name] = error(gradient, reference["gradients"][name], scale)
    worst("gradients", gradients, GRADIENT_BOUND)

    later = {f"step {i + 1}": error(*pair) for i, pair in enumerate(pairs)}
    worst("losses of 10 steps", later, LATER_LOSS_BOUND)
    assert ours["trained"].keys() == reference["trained"].keys()
    trained = {}
    for name, values in ours["trained"].items():
        expected = reference["trained"][name]
        if usual:
            values, expected = without_key_bias(name, values), without_key_bias(name, expected)
        trained[name] = error(values, expected)
    worst("parameters after 10 steps", trained, USUAL_TRAINED_BOUND if usual else TRAINED_BOUND)
    return rows


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: check_torch.py ORACLE_DUMP")
    torch.set_num_threads(1)
    failed = 0
    cases = ("decoder", "decoder_plain", "encoder", "encoder_masked", "decoder_usual", "encoder_usual")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        subprocess.run([sys.argv[1], name], check=True)
        written = sorted(path.stem for path in folder.glob("*.model"))
        assert written == sorted(cases), written
        print(f"torch {torch.__version__}; relative errors against its float64")
        print(f"{'case':15} {'quantity':26} {'xfq':>8} {'torch f32':>9} {'bound':>6}  worst tensor")
        for case in cases:
            usual = case.endswith("_usual")
            reference = recompute(folder, case, torch.float64)
            rows = compare(load(folder, case), reference, usual)
            single = compare(recompute(folder, case, torch.float32), reference, usual)
            for (quantity, value, where, bound), (_, rounding, _, _) in zip(rows, single):
                bad = not value <= bound
                failed += bad
                print(
                    f"{case:15} {quantity:26} {value:8.1e} {rounding:9.1e} {bound:6.0e}  {where}"
                    + ("  FAILED" if bad else "")
                )
    if failed:
        print(f"{failed} quantities are out of bounds")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
