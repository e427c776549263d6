"""Writes python.safetensors: one small tensor of each dtype, by the format's own library.

Made with safetensors 0.8.0 and torch 2.9.1:  python generate.py
"""

from pathlib import Path

import torch
from safetensors.torch import save_file

tensors = {
    "f32": torch.tensor([[0.0, -1.5, 3.25], [1e-40, 3.4e38, float("-inf")]], dtype=torch.float32),
    "f16": torch.tensor([1.0, -2.5, 65504.0], dtype=torch.float16),
    "bf16": torch.tensor([1.0, -2.5, 3e38], dtype=torch.bfloat16),
    "f64": torch.tensor([0.1, -1e-3], dtype=torch.float64),
    "i64": torch.tensor([2**31 - 1, -(2**31), 7], dtype=torch.int64),
    "i64.large": torch.tensor([1, 2**31], dtype=torch.int64),
    "i32": torch.tensor([2**31 - 1, -(2**31)], dtype=torch.int32),
    "i16": torch.tensor([32767, -32768], dtype=torch.int16),
    "i8": torch.tensor([127, -128], dtype=torch.int8),
    "u8": torch.tensor([0, 255], dtype=torch.uint8),
    "bool": torch.tensor([True, False, True], dtype=torch.bool),
    "f8": torch.tensor([1.0, 2.0], dtype=torch.float8_e4m3fn),
    "scalar": torch.tensor(42.0),
    "empty": torch.zeros(0, 3),
    "größe.重み": torch.tensor([8.0]),
}
save_file(tensors, Path(__file__).with_name("python.safetensors"), metadata={"format": "pt", "note": "naïve"})
