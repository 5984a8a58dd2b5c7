"""Least squares over a whole clip at once: frames that each have their own residuals, tied together by smoothness.

The normal equations of such a problem are banded: a frame meets its three neighbours on each side, through the penalty
on third differences. Three frames together make a block, and blocks form a chain, which a block Cholesky factorisation
solves in time proportional to the clip's length.
"""

import torch

Tensor = torch.Tensor
_TOGETHER = 3


def jerk_penalty(rate: float, ease: Tensor) -> Tensor:
    """``(count, 7)``: the band of ``DᵀD``, where ``D x`` is the third derivative of ``x``, ``rate`` values a second,
    over ``ease`` ``(count,)``: how much of it is no surprise in each frame. Column ``3 + k`` holds what frame ``i`` has
    to do with frame ``i + k``."""
    count = len(ease)
    band = ease.new_zeros(count, 2 * _TOGETHER + 1)
    weight = ((ease[1:-2] + ease[2:-1]) / 2) ** -2
    stencil = ease.new_tensor([-1.0, 3.0, -3.0, 1.0]) * rate**3
    for first in range(4):
        for second in range(4):
            rows = torch.arange(count - 3, device=ease.device) + first
            band[rows, 3 + second - first] += stencil[first] * stencil[second] * weight
    return band


def times_band(band: Tensor, x: Tensor) -> Tensor:
    """The band's matrix times ``x`` ``(count, d)``."""
    count = len(x)
    product = torch.zeros_like(x)
    for offset in range(-_TOGETHER, _TOGETHER + 1):
        first, last = max(0, -offset), min(count, count - offset)
        if first < last:
            product[first:last] += band[first:last, 3 + offset, None] * x[first + offset : last + offset]
    return product


def solve_chain(blocks: Tensor, band: Tensor, stiffness: Tensor, right: Tensor) -> Tensor:
    """``x`` with ``(diag(blocks) + band ⊗ diag(stiffness)) x = right``.

    Args:
        blocks: ``(count, d, d)`` symmetric, positive definite.
        band: ``(count, 7)`` as ``jerk_penalty`` makes it.
        stiffness: ``(d,)`` ≥ 0.
        right: ``(count, d)``.

    Raises:
        torch.linalg.LinAlgError: the matrix is not positive definite.
    """
    count, d = right.shape
    links = -(-count // _TOGETHER)
    padded = links * _TOGETHER
    size = _TOGETHER * d
    diagonal = blocks.new_zeros(links, _TOGETHER, d, _TOGETHER, d)
    below = blocks.new_zeros(links, _TOGETHER, d, _TOGETHER, d)
    whole = blocks.new_zeros(padded, d, d)
    whole[:count] = blocks
    whole[count:] = torch.eye(d, dtype=blocks.dtype, device=blocks.device)
    ties = band.new_zeros(padded, 2 * _TOGETHER + 1)
    ties[:count] = band
    ties = ties.reshape(links, _TOGETHER, -1)
    each = torch.arange(d, device=blocks.device)
    for row in range(_TOGETHER):
        diagonal[:, row, :, row, :] += whole.reshape(links, _TOGETHER, d, d)[:, row]
        for column in range(_TOGETHER):
            diagonal[:, row, each, column, each] += ties[:, row, 3 + column - row, None] * stiffness
            offset = column - row - _TOGETHER  # the column belongs to the link before
            if offset >= -_TOGETHER:
                below[1:, row, each, column, each] += ties[1:, row, 3 + offset, None] * stiffness
    diagonal, below = diagonal.reshape(links, size, size), below.reshape(links, size, size)
    wanted = right.new_zeros(padded, d)
    wanted[:count] = right
    wanted = wanted.reshape(links, size, 1)
    return _down_the_chain(diagonal, below, wanted).reshape(padded, d)[:count]


def solve_band(matrix: Tensor, right: Tensor, width: int) -> Tensor:
    """``(n,)`` ``x`` with ``matrix x = right``.

    Args:
        matrix: ``(n, n)`` symmetric, positive definite, with nothing farther than ``width`` from its diagonal.
        right: ``(n,)``.

    Raises:
        torch.linalg.LinAlgError: the matrix is not positive definite.
    """
    count = len(right)
    links = -(-count // width)
    padded = torch.eye(links * width, dtype=matrix.dtype, device=matrix.device)
    padded[:count, :count] = matrix
    blocks = padded.reshape(links, width, links, width)
    each = torch.arange(links, device=matrix.device)
    below = torch.zeros_like(blocks[:, :, 0])
    below[1:] = blocks[each[1:], :, each[:-1]]
    wanted = right.new_zeros(links * width)
    wanted[:count] = right
    return _down_the_chain(blocks[each, :, each], below, wanted.reshape(links, width, 1)).reshape(-1)[:count]


def _down_the_chain(diagonal: Tensor, below: Tensor, wanted: Tensor) -> Tensor:
    """``(links, size, 1)`` the solution of a chain of blocks, by block Cholesky factorisation.

    Args:
        diagonal: ``(links, size, size)``.
        below: ``(links, size, size)`` what each link has to do with the one before.
        wanted: ``(links, size, 1)``.
    """
    links = len(diagonal)
    factors: list[Tensor] = []
    carried: list[Tensor] = []
    forward: list[Tensor] = []
    for link in range(links):
        block, value = diagonal[link], wanted[link]
        if link:
            # below = carried Lᵀ
            carry = torch.linalg.solve_triangular(factors[-1], below[link].T, upper=False).T
            block = block - carry @ carry.T
            value = value - carry @ forward[-1]
            carried.append(carry)
        factor = torch.linalg.cholesky(block)
        factors.append(factor)
        forward.append(torch.linalg.solve_triangular(factor, value, upper=False))
    solution = [torch.linalg.solve_triangular(factors[-1].T, forward[-1], upper=True)]
    for link in range(links - 2, -1, -1):
        value = forward[link] - carried[link].T @ solution[-1]
        solution.append(torch.linalg.solve_triangular(factors[link].T, value, upper=True))
    return torch.stack(solution[::-1])
