"""Tiny vision transformers of timm, transformers and torchvision, as PyTorch's two exporters and ONNX Runtime write them.

Beside each NAME.onnx stands NAME.npy: what PyTorch hooks see on images(), layers x images x tokens x width: the output of
every block's attention after its projection and bias, before layer scale, a norm of the output, and the residual add.
models.json says of each how many registers and heads it has. Weights are random: only the graphs matter. Models that take
images of any size have NAME_other.npy, too: the same on images(*OTHER).

Run: python make.py [--hooks] [NAME ...] with torch 2.9, torchvision 0.24, timm 1.0.31, transformers 5.23, onnx 1.23, onnxscript 0.7,
onnxruntime 1.32 (any_size: torch 2.15, transformers 5.24). It writes beside itself; without names it makes all, with
--hooks only NAME_hooks.npy, of models that are checked to be those of NAME.npy. Of those without class token, the wide one and
NAME_hooks.npy: torch 2.15, timm 1.0.31, transformers 5.24, onnx 1.23.2, onnxscript 0.7.1. Of onnxsim_siglip and
onnxoptimizer_dinov3_wide: onnxsim 0.8.1, onnxoptimizer 0.4.2, onnx 1.23.2.
"""
import json
import logging
import re
import sys
import warnings
from pathlib import Path

import numpy as np
import onnx
import onnxoptimizer
import onnxruntime as ort
import onnxsim
import timm.layers
import torch
import torchvision
import transformers
from onnxruntime.quantization import quantize_dynamic
from onnxruntime.transformers import float16, optimizer
from onnxruntime.transformers.fusion_options import FusionOptions
from timm.models import (
    beit, eva, swin_transformer, vision_transformer, vision_transformer_relpos, vision_transformer_sam)

HERE = Path(__file__).parent
SIZE, PATCH, WIDTH, HEADS, DEPTH = 16, 4, 12, 3, 2
OTHER = (24, 32)
WIDE = (16, 24)

warnings.filterwarnings("ignore")
logging.disable(logging.WARNING)


def images(height=SIZE, width=SIZE):
    """2 images of 3 x height x width values in [-1, 1] by a formula."""
    i = np.arange(2 * 3 * height * width)
    return torch.from_numpy((i * 7919 % 2003 / 1001 - 1).astype(np.float32).reshape(2, 3, height, width))


def photograph(height, width):
    """An image of height x width x 3 bytes by a formula, as pixels from 0 to 1."""
    image = (np.arange(height * width * 3) * 7919 % 251 / 255).astype(np.float32).reshape(1, height, width, 3)
    return torch.from_numpy(image).permute(0, 3, 1, 2).contiguous()


TIMM = dict(img_size=SIZE, patch_size=PATCH, embed_dim=WIDTH, depth=DEPTH, num_heads=HEADS, mlp_ratio=1, num_classes=0)
HUGGING = dict(
    image_size=SIZE, patch_size=PATCH, hidden_size=WIDTH, num_hidden_layers=DEPTH, num_attention_heads=HEADS,
    intermediate_size=WIDTH,
)


class Features(torch.nn.Module):
    """A model's tokens, from pixels alone."""

    def __init__(self, model, call):
        super().__init__()
        self.model, self.call = model, call

    def forward(self, pixel_values):
        return self.call(self.model, pixel_values)


def of_timm(model):
    return Features(model, lambda m, x: m.forward_features(x))


def vit(**options):
    return lambda: of_timm(vision_transformer.VisionTransformer(**{**TIMM, **options}))


def pooled_vit(**options):
    """With its head."""
    return lambda: Features(vision_transformer.VisionTransformer(**{**TIMM, **options}), lambda m, x: m(x))


def of_transformers(name, attention, **options):
    def make():
        config = getattr(transformers, f"{name.removesuffix('Model')}Config")(**{**HUGGING, **options})
        config._attn_implementation = attention
        return Features(getattr(transformers, name)(config), lambda m, x: m(pixel_values=x).last_hidden_state)
    return make


def clip(name, attention="sdpa"):
    def make():
        config = transformers.CLIPVisionConfig(**HUGGING, projection_dim=8)
        config._attn_implementation = attention
        return Features(getattr(transformers, name)(config), lambda m, x: m(pixel_values=x)[0])
    return make


def of_torchvision():
    model = torchvision.models.VisionTransformer(SIZE, PATCH, DEPTH, HEADS, WIDTH, WIDTH, num_classes=4)
    return Features(model, lambda m, x: m(x))


# What makes the model, the modules whose outputs are wanted, registers, exporter (torchscript or dynamo), operator set.
TIMM_BLOCKS = r"model\.blocks\.\d+\.attn"
BLOCKS = r"model\..*\.\d+\.(attention|self_attn)"
MODELS = {
    "timm_vit_ts11": (vit(), TIMM_BLOCKS, 0, "torchscript", 11),
    "timm_vit_sdpa_ts14": (vit(), TIMM_BLOCKS, 0, "torchscript", 14),
    "timm_layer_scale_registers_ts17": (vit(init_values=0.3, reg_tokens=4), TIMM_BLOCKS, 4, "torchscript", 17),
    "timm_qk_norm_dynamo18": (vit(qk_norm=True), TIMM_BLOCKS, 0, "dynamo", 18),
    "timm_layer_scale_registers_dynamo20": (vit(init_values=0.3, reg_tokens=2), TIMM_BLOCKS, 2, "dynamo", 20),
    "timm_layer_scale_dynamo23": (vit(init_values=0.3), TIMM_BLOCKS, 0, "dynamo", 23),
    "timm_post_norm_ts13": (vit(block_fn=vision_transformer.ResPostBlock), TIMM_BLOCKS, 0, "torchscript", 13),
    "timm_post_norm_dynamo21": (vit(block_fn=vision_transformer.ResPostBlock, init_values=0.3), TIMM_BLOCKS, 0, "dynamo", 21),
    "timm_parallel_mlp_ts17": (
        vit(block_fn=vision_transformer.ParallelScalingBlock), r"model\.blocks\.\d+\.attn_out_proj", 0, "torchscript", 17),
    "timm_beit_relative_bias_ts16": (
        lambda: of_timm(beit.Beit(**TIMM, use_abs_pos_emb=False, use_rel_pos_bias=True, init_values=0.3)),
        TIMM_BLOCKS, 0, "torchscript", 16),
    "timm_beit_relative_bias_dynamo18": (
        lambda: of_timm(beit.Beit(**TIMM, use_abs_pos_emb=False, use_shared_rel_pos_bias=True, init_values=0.3)),
        TIMM_BLOCKS, 0, "dynamo", 18),
    "timm_relpos_mlp_dynamo18": (
        lambda: of_timm(vision_transformer_relpos.VisionTransformerRelPos(
            **TIMM, class_token=True, rel_pos_type="mlp", block_fn=vision_transformer_relpos.ResPostRelPosBlock)),
        TIMM_BLOCKS, 0, "dynamo", 18),
    "timm_eva_rope_ts17": (
        lambda: of_timm(eva.Eva(
            **TIMM, qkv_fused=False, use_rot_pos_emb=True, swiglu_mlp=True, scale_attn_inner=True, num_reg_tokens=1)),
        TIMM_BLOCKS, 1, "torchscript", 17),
    "timm_eva_rope_dynamo18": (
        lambda: of_timm(eva.Eva(**TIMM, qkv_fused=True, use_rot_pos_emb=True, use_post_norm=True, init_values=0.3)),
        TIMM_BLOCKS, 0, "dynamo", 18),
    "hf_vit_eager_ts12": (of_transformers("ViTModel", "eager"), BLOCKS, 0, "torchscript", 12),
    "hf_vit_sdpa_dynamo18": (of_transformers("ViTModel", "sdpa"), BLOCKS, 0, "dynamo", 18),
    "hf_dinov2_ts17": (of_transformers("Dinov2Model", "eager", mlp_ratio=1), BLOCKS, 0, "torchscript", 17),
    "hf_dinov2_registers_dynamo18": (
        of_transformers("Dinov2WithRegistersModel", "sdpa", mlp_ratio=1), BLOCKS, 4, "dynamo", 18),
    "hf_dinov3_rope_dynamo18": (
        of_transformers("DINOv3ViTModel", "sdpa", num_register_tokens=4), BLOCKS, 4, "dynamo", 18),
    "hf_mae_ts17": (of_transformers("ViTMAEModel", "eager", mask_ratio=0.0), BLOCKS, 0, "torchscript", 17),
    "hf_beit_relative_bias_dynamo19": (
        of_transformers("BeitModel", "eager", use_relative_position_bias=True), BLOCKS, 0, "dynamo", 19),
    "hf_data2vec_eager_ts15": (of_transformers("Data2VecVisionModel", "eager"), BLOCKS, 0, "torchscript", 15),
    "hf_clip_projection_ts14": (clip("CLIPVisionModelWithProjection"), BLOCKS, 0, "torchscript", 14),
    "hf_clip_dynamo18": (clip("CLIPVisionModel"), BLOCKS, 0, "dynamo", 18),
    "torchvision_ts14": (of_torchvision, r".*\.self_attention", 0, "torchscript", 14),
    "torchvision_dynamo18": (of_torchvision, r".*\.self_attention", 0, "dynamo", 18),
    "hf_dinov2_any_size_ts17": (of_transformers("Dinov2Model", "eager", mlp_ratio=1), BLOCKS, 0, "torchscript", 17),
    "timm_vit_any_size_dynamo20": (vit(dynamic_img_size=True), TIMM_BLOCKS, 0, "dynamo", 20),
    "timm_dinov3_any_size_dynamo20": (
        lambda: of_timm(eva.Eva(
            **TIMM, use_abs_pos_emb=False, use_rot_pos_emb=True, rope_type="dinov3", num_reg_tokens=2, init_values=0.3,
            dynamic_img_size=True)),
        TIMM_BLOCKS, 2, "dynamo", 20),
    "timm_siglip_ts17": (vit(class_token=False, global_pool="map"), TIMM_BLOCKS, 0, "torchscript", 17),
    "hf_siglip_dynamo18": (of_transformers("SiglipVisionModel", "sdpa"), BLOCKS, 0, "dynamo", 18),
    "timm_registers_alone_dynamo18": (
        pooled_vit(class_token=False, reg_tokens=4, global_pool="avg"), TIMM_BLOCKS, 4, "dynamo", 18),
    "hf_dinov3_wide_dynamo18": (
        of_transformers("DINOv3ViTModel", "sdpa", num_register_tokens=4), BLOCKS, 4, "dynamo", 18),
    "timm_sam_windows_dynamo18": (
        lambda: of_timm(vision_transformer_sam.VisionTransformerSAM(
            **TIMM, use_rope=False, use_rel_pos=True, window_size=3, global_attn_indexes=(1,), neck_chans=0)),
        TIMM_BLOCKS, 0, "dynamo", 18),
    "timm_swin_dynamo18": (
        lambda: of_timm(swin_transformer.SwinTransformer(
            img_size=SIZE, patch_size=2, embed_dim=WIDTH, depths=(1, 1), num_heads=(HEADS, HEADS), window_size=2,
            mlp_ratio=1, num_classes=0)),
        r"model\.layers\.\d+\.blocks\.\d+\.attn", 0, "dynamo", 18),
}
# Without class token.
PATCHES_ONLY = {
    "timm_siglip_ts17", "hf_siglip_dynamo18", "timm_registers_alone_dynamo18", "timm_sam_windows_dynamo18"}
# Exported for any height and width; timm's DINOv3 is wrong at all but the size that it was exported at.
ANY_SIZE = {"hf_dinov2_any_size_ts17", "timm_vit_any_size_dynamo20", "timm_dinov3_any_size_dynamo20"}

# Made of those by tools: the source, and what is done to it.
TOOLS = {
    "ort_fused_multihead_eva": ("timm_eva_rope_ts17", lambda path: fuse(path, "mmdit")),
    "ort_skip_norm_vit": ("hf_vit_eager_ts12", lambda path: fuse(path, "vit")),
    "ort_skip_norm_clip": ("hf_clip_projection_ts14", lambda path: fuse(path, "clip")),
    "ort_extended_timm": ("timm_vit_sdpa_ts14", lambda path: optimize(path)),
    "ort_extended_post_norm": ("timm_post_norm_ts13", lambda path: optimize(path)),
    "half_weights_registers": ("timm_layer_scale_registers_ts17", lambda path: halve(path)),
    "half_pixels_clip": ("hf_clip_dynamo18", lambda path: halve(path, pixels=True)),
    "external_weights_clip": ("hf_clip_dynamo18", lambda path: onnx.load(path)),
    "quantized_vit": ("timm_vit_sdpa_ts14", lambda path: quantize(path)),
    # One product for queries, keys and values, split, with the biases behind the Split.
    "onnxsim_siglip": ("hf_siglip_dynamo18", lambda path: onnxsim.simplify(onnx.load(path))[0]),
    "onnxoptimizer_dinov3_wide": ("hf_dinov3_wide_dynamo18", lambda path: onnxoptimizer.optimize(onnx.load(path))),
}
# Patches in another random order in every run: kept to be refused.
REFUSED = {"hf_mae_ts17", "timm_swin_dynamo18"}


def randomize(model):
    """Weights that no initial zero or one hides anything in."""
    with torch.no_grad():
        for name, weight in model.named_parameters():
            gain = 0.1 if weight.ndim < 2 else 0.4
            weight.normal_(0, gain)
            if "norm" in name and name.endswith("weight"):
                weight.add_(1)


def in_place(output):
    """Windows of 3 x 3 of a padded grid put back where they were cut out."""
    if output.ndim < 4:
        return output
    side = SIZE // PATCH
    if output.shape[1] != side:
        output = vision_transformer_sam.window_unpartition(output, 3, (side, side), (6, 6))
    return output.flatten(1, 2)


def attention_outputs(model, wanted, pixels):
    found = []

    def see(module, inputs, output):
        found.append(in_place(output[0] if isinstance(output, tuple) else output))

    hooks = [m.register_forward_hook(see) for name, m in model.named_modules() if re.fullmatch(wanted, name)]
    with torch.no_grad():
        model(pixels)
    for hook in hooks:
        hook.remove()
    return torch.stack(found).numpy()


# Models whose other hooks are kept in NAME_hooks.npy, (residual, mlp, q, k, v) x layers x HOOK_TOKENS x width on
# photograph(): modules of the blocks, of their MLPs, and where queries, keys and values come from. "qkv" is one
# product for the three, "in" that of torch.nn.MultiheadAttention, which no module computes.
TIMM_HOOKS = (r"model\.blocks\.\d+", r"model\.blocks\.\d+\.mlp", r"model\.blocks\.\d+\.attn\.qkv")
HUGGING_HOOKS = (
    r"model\..*layers?\.\d+", r"model\..*layers?\.\d+\.mlp", r"model\..*layers?\.\d+\..*\.(q_proj|query)",
    r"model\..*layers?\.\d+\..*\.(k_proj|key)", r"model\..*layers?\.\d+\..*\.(v_proj|value)")
HOOK_TOKENS = [0, 1, 5, -2, -1]
HOOKS = {
    "timm_vit_ts11": TIMM_HOOKS,
    "timm_vit_sdpa_ts14": TIMM_HOOKS,
    "timm_layer_scale_registers_ts17": TIMM_HOOKS,
    "timm_layer_scale_dynamo23": TIMM_HOOKS,
    "timm_qk_norm_dynamo18": TIMM_HOOKS,
    "timm_post_norm_dynamo21": TIMM_HOOKS,
    "timm_parallel_mlp_ts17": (
        r"model\.blocks\.\d+", r"model\.blocks\.\d+\.mlp_out_proj", None),
    "timm_siglip_ts17": TIMM_HOOKS,
    "timm_sam_windows_dynamo18": (TIMM_HOOKS[0], TIMM_HOOKS[1], None),
    "hf_dinov3_wide_dynamo18": HUGGING_HOOKS,
    "hf_siglip_dynamo18": HUGGING_HOOKS,
    "hf_clip_projection_ts14": HUGGING_HOOKS,
    "timm_eva_rope_ts17": (
        TIMM_HOOKS[0], TIMM_HOOKS[1], *(rf"model\.blocks\.\d+\.attn\.{name}_proj" for name in "qkv")),
    "torchvision_ts14": (r"model\..*encoder_layer_\d+", r"model\..*encoder_layer_\d+\.mlp", "in"),
}


def hook_outputs(model, wanted, pixels):
    """(residual, mlp, q, k, v) x layers x HOOK_TOKENS x width of one image; two of them where queries have no module."""
    rows = [attention_outputs(model, name, pixels) for name in wanted if name not in (None, "in")]
    if len(rows) == 3:
        rows[2:] = np.split(rows[2], 3, axis=-1)
    if wanted[-1] == "in":
        found = []

        def see(module, inputs):
            found.append(torch.nn.functional.linear(inputs[0], module.in_proj_weight, module.in_proj_bias))

        hooks = [m.register_forward_pre_hook(see) for m in model.modules() if isinstance(m, torch.nn.MultiheadAttention)]
        with torch.no_grad():
            model(pixels)
        for hook in hooks:
            hook.remove()
        rows += np.split(torch.stack(found).numpy(), 3, axis=-1)
    return np.stack([row[:, 0, HOOK_TOKENS] for row in rows])


def export(model, path, exporter, opset, any_size, pixels):
    names = {"input_names": ["pixel_values"], "output_names": ["last"], "opset_version": opset}
    if exporter == "dynamo":
        free = torch.export.Dim.DYNAMIC
        shapes = ({0: free, 2: free, 3: free} if any_size else {0: torch.export.Dim("batch", min=2, max=64)},)
        torch.onnx.export(
            model, (pixels,), path, dynamo=True, dynamic_shapes=shapes, external_data=False, verbose=False, **names)
    else:
        axes = {0: "batch", 2: "height", 3: "width"} if any_size else {0: "batch"}
        torch.onnx.export(model, (pixels,), path, dynamo=False, dynamic_axes={"pixel_values": axes}, **names)


def save(proto, path):
    """Without the exporter's notes, which hold paths of the machine, and without what nothing reads."""
    for node in proto.graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
    for value in [*proto.graph.value_info, *proto.graph.input, *proto.graph.output, *proto.graph.initializer]:
        del value.metadata_props[:]
    del proto.graph.metadata_props[:], proto.metadata_props[:], proto.graph.value_info[:]
    onnx.save(proto, path)


def fuse(path, kind):
    """com.microsoft's MultiHeadAttention or SkipLayerNormalization, by ONNX Runtime's transformer tool."""
    return optimizer.optimize_model(
        str(path), model_type=kind, num_heads=HEADS, hidden_size=WIDTH, opt_level=0,
        optimization_options=FusionOptions(kind)).model


def optimize(path):
    """What ONNX Runtime's own extended optimization leaves."""
    options, out = ort.SessionOptions(), str(path) + ".optimized"
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    options.optimized_model_filepath = out
    ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    proto = onnx.load(out)
    Path(out).unlink()
    return proto


def halve(path, pixels=False):
    """float16 weights and computation; pixels and outputs float32, or float16, too."""
    return float16.convert_float_to_float16(onnx.load(path), keep_io_types=not pixels)


def quantize(path):
    """Weights of 8 bits, products by MatMulInteger, as hubs' model_quantized.onnx."""
    out = str(path) + ".quantized"
    quantize_dynamic(str(path), out)
    proto = onnx.load(out)
    Path(out).unlink()
    return proto


def main(names, only_hooks):
    facts_path = HERE / "models.json"
    facts = json.loads(facts_path.read_text()) if facts_path.exists() and names else {}
    for seed, (name, (make, wanted, registers, exporter, opset)) in enumerate(MODELS.items()):
        if names and name not in names:
            continue
        torch.manual_seed(seed)
        timm.layers.set_fused_attn("relpos" not in name and "sam" not in name and opset >= 14)
        model = make().eval()
        randomize(model)
        height, width = WIDE if "wide" in name else (SIZE, SIZE)
        pixels, grid = images(height, width), [height // PATCH, width // PATCH]
        if not only_hooks:
            export(model, HERE / f"{name}.onnx", exporter, opset, name in ANY_SIZE, pixels)
            proto = onnx.load(HERE / f"{name}.onnx")
            assert proto.opset_import[0].version == opset, (name, proto.opset_import)
            save(proto, HERE / f"{name}.onnx")
        if name in REFUSED:
            continue
        values = attention_outputs(model, wanted, pixels)
        classes = 0 if name in PATCHES_ONLY else 1
        assert values.size == DEPTH * 2 * (classes + registers + grid[0] * grid[1]) * WIDTH, values.shape
        if only_hooks and not np.allclose(values, np.load(HERE / f"{name}.npy"), rtol=1e-4, atol=1e-4):
            print(f"{name}: these versions draw other weights: make it anew")
            continue
        if name in HOOKS:
            np.save(HERE / f"{name}_hooks.npy", hook_outputs(model, HOOKS[name], photograph(height, width)))
        if only_hooks:
            continue
        np.save(HERE / f"{name}.npy", values)
        if name in ANY_SIZE:
            np.save(HERE / f"{name}_other.npy", attention_outputs(model, wanted, images(*OTHER)))
        facts[name] = {"registers": registers, "heads": None if "windows" in name else HEADS, "values": name}
        if not classes:
            facts[name]["classToken"] = False
        if "wide" in name:
            facts[name]["grid"] = grid
    for name, (source, change) in TOOLS.items():
        if names and name not in names:
            continue
        save(change(HERE / f"{source}.onnx"), HERE / f"{name}.onnx")
        if name.startswith("external"):  # weights of 100 bytes and more beside the model, as the hub keeps large ones
            path = HERE / f"{name}.onnx"
            onnx.save(
                onnx.load(path), path, save_as_external_data=True, location=f"{name}.onnx_data", size_threshold=100)
        facts[name] = {**facts[source], "values": source}
    facts_path.write_text(json.dumps(dict(sorted(facts.items())), indent=1) + "\n")


if __name__ == "__main__":
    main([name for name in sys.argv[1:] if name != "--hooks"], "--hooks" in sys.argv)
