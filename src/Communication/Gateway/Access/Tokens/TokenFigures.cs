using Groundwork.Communication.Gateway.Recording;
using Groundwork.Kernel.Hosting.Metering;

namespace Groundwork.Communication.Gateway.Access.Tokens;

/// <summary>How many tokens were known, had to be verified, or were refused.</summary>
internal sealed class TokenFigures : IMetricsSource
{
    private readonly ShardedCells cells = new(3);

    public void Kept() => ShardedCells.Add(cells.Mine, 0, 1);

    public void Verified() => ShardedCells.Add(cells.Mine, 1, 1);

    public void Refused() => ShardedCells.Add(cells.Mine, 2, 1);

    public void Write(MetricsText text)
    {
        text.Family(
            "groundwork_gateway_tokens_total", "counter",
            "Tokens that requests brought: known from before (kept), verified now, or refused.");
        text.Sample(cells[0], ("result", "kept"));
        text.Sample(cells[1], ("result", "verified"));
        text.Sample(cells[2], ("result", "refused"));
    }
}
