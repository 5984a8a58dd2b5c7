"""Read a float TensorFlow Lite graph into a small graph of our own. Used when the weights are built, never at run time.

Only what the two BlazePose networks contain is understood; anything else raises ``UnsupportedGraph`` and names itself.
Layouts change here once: TensorFlow's NHWC activations become NCHW, kernels OHWI become OIHW.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import tflite

Array = npt.NDArray[np.float32]
Operation = dict[str, Any]

_OPERATORS = {code: name for name, code in vars(tflite.BuiltinOperator).items() if isinstance(code, int)}
_ACTIVATIONS = {
    tflite.ActivationFunctionType.NONE: None,
    tflite.ActivationFunctionType.RELU: "relu",
    tflite.ActivationFunctionType.RELU6: "relu6",
}
_DTYPES = {tflite.TensorType.FLOAT32: "<f4", tflite.TensorType.FLOAT16: "<f2", tflite.TensorType.INT32: "<i4"}


class UnsupportedGraph(ValueError):
    """The file holds something that the two known networks do not."""


@dataclass(frozen=True)
class Graph:
    """A network as data: ``operations`` in order, each naming its ``inputs`` and its ``output`` by integer."""

    input: int
    outputs: list[int]
    operations: list[Operation]
    weights: dict[str, Array]


def read_graph(content: bytes, wanted_outputs: list[str]) -> Graph:
    """Read a ``.tflite`` file's only subgraph, keeping what the ``wanted_outputs`` (tensor names) depend on.

    Half-precision constants are widened to float32 and sparse ones made dense.
    """
    return _Reader(content).read(wanted_outputs)


class _Reader:
    def __init__(self, content: bytes) -> None:
        self.model = tflite.Model.GetRootAs(content, 0)
        if self.model.SubgraphsLength() != 1:
            raise UnsupportedGraph("more than one subgraph")
        self.subgraph = self.model.Subgraphs(0)
        self.constants: dict[int, npt.NDArray[Any]] = {}
        self.operations: list[Operation] = []
        self.weights: dict[str, Array] = {}

    def read(self, wanted_outputs: list[str]) -> Graph:
        for index in range(self.subgraph.TensorsLength()):
            self._read_constant(index)
        for index in range(self.subgraph.OperatorsLength()):
            self._read_operator(self.subgraph.Operators(index))
        named = {self.subgraph.Tensors(i).Name().decode(): int(i) for i in self.subgraph.OutputsAsNumpy()}
        outputs = [named[name] for name in wanted_outputs]
        operations = _fold_padding(_needed(self.operations, outputs))
        kept = {name for operation in operations for name in (operation.get("weight"), operation.get("bias")) if name}
        return Graph(
            input=int(self.subgraph.InputsAsNumpy()[0]),
            outputs=outputs,
            operations=operations,
            weights={name: self.weights[name] for name in sorted(kept)},
        )

    def _shape(self, tensor: int) -> list[int]:
        return [int(n) for n in self.subgraph.Tensors(tensor).ShapeAsNumpy()]

    def _read_constant(self, index: int) -> None:
        tensor = self.subgraph.Tensors(index)
        buffer = self.model.Buffers(tensor.Buffer())
        if buffer.DataLength() == 0:
            return
        dtype = _DTYPES.get(tensor.Type())
        if dtype is None:
            raise UnsupportedGraph(f"constant of type {tensor.Type()}")
        values = np.frombuffer(buffer.DataAsNumpy().tobytes(), dtype=dtype)
        sparsity = tensor.Sparsity()
        shape = self._shape(index)
        self.constants[index] = values.reshape(shape) if sparsity is None else _dense(values, shape, sparsity)

    def _options(self, operator: Any, options: Any) -> Any:
        table = operator.BuiltinOptions()
        options.Init(table.Bytes, table.Pos)
        return options

    def _weight(self, array: npt.NDArray[Any], name: str) -> str:
        self.weights[name] = np.ascontiguousarray(array, dtype=np.float32)
        return name

    def _read_operator(self, operator: Any) -> None:
        code = self.model.OperatorCodes(operator.OpcodeIndex())
        kind = _OPERATORS[max(code.BuiltinCode(), code.DeprecatedBuiltinCode())]
        inputs = [int(i) for i in operator.InputsAsNumpy()]
        output = int(operator.OutputsAsNumpy()[0])
        if kind in ("DEQUANTIZE", "DENSIFY"):
            # Both only ever act on constants here: half precision is widened, sparse was made dense on reading.
            self.constants[output] = self.constants[inputs[0]].astype(np.float32)
            return
        operation: Operation = {"kind": kind.lower(), "inputs": inputs[:1], "output": output}
        if kind in ("CONV_2D", "DEPTHWISE_CONV_2D"):
            self._read_convolution(operator, kind, inputs, operation)
        elif kind == "ADD":
            operation["inputs"] = inputs
            operation["activation"] = self._activation(self._options(operator, tflite.AddOptions()))
        elif kind == "PAD":
            batch, rows, columns, channels = self.constants[inputs[1]].reshape(4, 2).tolist()
            if any(batch) or any(channels):
                raise UnsupportedGraph("padding along batch or channels")
            operation["padding"] = [*columns, *rows]
        elif kind == "RESIZE_BILINEAR":
            options = self._options(operator, tflite.ResizeBilinearOptions())
            if options.AlignCorners() or not options.HalfPixelCenters():
                raise UnsupportedGraph("bilinear resize without half-pixel centres")
            operation["size"] = self.constants[inputs[1]].tolist()
        elif kind == "MAX_POOL_2D":
            options = self._options(operator, tflite.Pool2DOptions())
            if options.FilterHeight() != options.StrideH() or options.FilterWidth() != options.FilterHeight():
                raise UnsupportedGraph("overlapping pooling")
            operation["size"] = options.FilterHeight()
        elif kind == "RESHAPE":
            operation["shape"] = self._shape(output)[1:]
        elif kind == "CONCATENATION":
            if self._options(operator, tflite.ConcatenationOptions()).Axis() not in (1, -2):
                raise UnsupportedGraph("concatenation along another axis than the anchors'")
            operation["inputs"] = inputs
        elif kind == "DEPTH_TO_SPACE":
            operation["block"] = self._options(operator, tflite.DepthToSpaceOptions()).BlockSize()
        elif kind != "LOGISTIC":
            raise UnsupportedGraph(f"operator {kind}")
        self.operations.append(operation)

    def _activation(self, options: Any) -> str | None:
        function = options.FusedActivationFunction()
        if function not in _ACTIVATIONS:
            raise UnsupportedGraph(f"activation {function}")
        return _ACTIVATIONS[function]

    def _read_convolution(self, operator: Any, kind: str, inputs: list[int], operation: Operation) -> None:
        kernel = self.constants[inputs[1]]
        if kind == "CONV_2D":
            options = self._options(operator, tflite.Conv2DOptions())
            kernel = kernel.transpose(0, 3, 1, 2)
            operation["groups"] = 1
        else:
            options = self._options(operator, tflite.DepthwiseConv2DOptions())
            kernel = kernel.transpose(3, 0, 1, 2)
            operation["groups"] = self._shape(inputs[0])[3]
        if options.DilationHFactor() != 1 or options.DilationWFactor() != 1:
            raise UnsupportedGraph("dilated convolution")
        stride = [options.StrideH(), options.StrideW()]
        padding = [0, 0, 0, 0]
        if options.Padding() == tflite.Padding.SAME:
            rows, columns = self._shape(inputs[0])[1:3]
            padding = [
                *_same_padding(columns, kernel.shape[3], stride[1]),
                *_same_padding(rows, kernel.shape[2], stride[0]),
            ]
        operation.update(
            kind="convolution",
            stride=stride,
            padding=padding,
            activation=self._activation(options),
            weight=self._weight(kernel, f"{inputs[1]}.weight"),
            bias=self._weight(self.constants[inputs[2]], f"{inputs[2]}.bias"),
        )


def _same_padding(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """TensorFlow's SAME padding (before, after) of one axis: odd pixels go after."""
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


def _dense(values: npt.NDArray[Any], shape: list[int], sparsity: Any) -> npt.NDArray[Any]:
    """Expand a tensor stored in TACO's format (Kjolstad et al. 2017) as TensorFlow Lite writes it, without blocks."""
    if sparsity.BlockMapLength():
        raise UnsupportedGraph("block-sparse tensor")
    order = [int(i) for i in sparsity.TraversalOrderAsNumpy()]
    parents = np.zeros((1, 0), dtype=np.int64)  # coordinates of every stored node down to the current level
    for level in range(len(order)):
        metadata = sparsity.DimMetadata(level)
        if metadata.Format() == tflite.DimensionType.DENSE:
            counts = np.full(len(parents), metadata.DenseSize())
            indices = np.tile(np.arange(metadata.DenseSize()), len(parents))
        else:
            segments = _index_vector(metadata.ArraySegments(), metadata.ArraySegmentsType())
            indices = _index_vector(metadata.ArrayIndices(), metadata.ArrayIndicesType())
            counts = np.diff(segments)
        parents = np.column_stack([np.repeat(parents, counts, axis=0), indices])
    dense = np.zeros(shape, dtype=values.dtype)
    coordinates = np.empty_like(parents)
    coordinates[:, order] = parents
    dense[tuple(coordinates.T)] = values
    return dense


def _index_vector(table: Any, kind: int) -> npt.NDArray[np.int64]:
    vectors = {
        tflite.SparseIndexVector.Int32Vector: tflite.Int32Vector,
        tflite.SparseIndexVector.Uint16Vector: tflite.Uint16Vector,
        tflite.SparseIndexVector.Uint8Vector: tflite.Uint8Vector,
    }
    if kind not in vectors:
        raise UnsupportedGraph(f"sparse index vector of kind {kind}")
    vector = vectors[kind]()
    vector.Init(table.Bytes, table.Pos)
    return np.asarray(vector.ValuesAsNumpy(), dtype=np.int64)


def _needed(operations: list[Operation], outputs: list[int]) -> list[Operation]:
    """Drop what no wanted output depends on (the landmark network also segments, at a fifth of its cost)."""
    wanted, kept = set(outputs), []
    for operation in reversed(operations):
        if operation["output"] in wanted:
            wanted.update(operation["inputs"])
            kept.append(operation)
    return kept[::-1]


def _fold_padding(operations: list[Operation]) -> list[Operation]:
    """Let convolutions pad by themselves what an explicit PAD operator did for them."""
    pads = {operation["output"]: operation for operation in operations if operation["kind"] == "pad"}
    for operation in operations:
        pad = pads.get(operation["inputs"][0])
        if pad and operation["kind"] == "convolution":
            operation["inputs"] = pad["inputs"]
            operation["padding"] = [a + b for a, b in zip(operation["padding"], pad["padding"], strict=True)]
        elif pad:
            raise UnsupportedGraph(f"padding in front of {operation['kind']}")
    return [operation for operation in operations if operation["kind"] != "pad"]
