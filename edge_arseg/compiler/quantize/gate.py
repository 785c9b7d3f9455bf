"""What the golden frames of a quantized bundle have to reach."""

from dataclasses import dataclass

from edge_arseg.errors import GateError, OptionError
from edge_arseg.runtime.bundles.gate import QUANTIZED_AGREEMENT
from edge_arseg.runtime.verification import Agreement


@dataclass(frozen=True, slots=True)
class Gate:
    """What the golden frames have to reach, here and on every machine that the bundle comes to.

    Attributes:
        min_agreement: share of the pixels, 0 to 1, that get torch's class, of the worst frame and output.
        because: the user's words for another gate than the usual one.

    Raises:
        OptionError: a gate that is no share, or not the usual one and without words; or words that say nothing.
    """

    min_agreement: float = QUANTIZED_AGREEMENT
    because: str | None = None

    def __post_init__(self) -> None:
        if not 0.0 <= self.min_agreement <= 1.0:
            raise OptionError(f"a gate of {self.min_agreement:g} seen, expected a share of the pixels from 0 to 1")
        if self.because is not None and not self.because.strip():
            raise OptionError('--because is empty; say why the gate is another one: --because "TEXT"')
        if self.min_agreement != QUANTIZED_AGREEMENT and self.because is None:
            raise OptionError(
                f"a gate of {self.min_agreement:g} seen, {QUANTIZED_AGREEMENT:g} is usual; say why it is another one: "
                '--because "TEXT", which stays in the bundle'
            )

    def check(self, worst: Agreement) -> None:
        """Refuse what lies below.

        Raises:
            GateError: with what helps.
        """
        if worst.agreement < self.min_agreement:
            raise GateError(
                f"{worst.output} at distance {worst.distance}: {worst.agreement:.2%} of the golden pixels get torch's "
                f"class, {self.min_agreement:.2%} expected; nothing was written. What helps: frames of your own camera "
                "in the --recipe; --labels with --max-drop, which keeps the worst layers in float; --hr fp16 or --lr "
                'fp16. If less will do, say why: --min-agreement SHARE --because "TEXT"'
            )


USUAL_GATE = Gate()
