using System.Collections.Immutable;
using System.Text;
using Groundwork.Communication.Gateway.Exchanges;
using Groundwork.Communication.Gateway.Steps;
using Groundwork.Wire;
using Groundwork.Wire.Http1;

namespace Groundwork.Communication.Gateway.Content.Referers;

/// <summary>Makes the step of routes that ask whose page a request comes from.</summary>
internal sealed class RefererMaker : IStepMaker
{
    public IEnumerable<IRequestStep> Make(StepContext context)
    {
        if (context.Policies is RouteSpec { Referers: { } spec }) yield return new RefererStep(spec);
    }
}

/// <summary>
/// Refuses requests of pages that are not listed. A hindrance to pages that show other people's pictures, and no proof
/// of anything: who is no browser writes there what he likes.
/// </summary>
internal sealed class RefererStep(RefererSpec spec) : IRequestStep
{
    // With their dot those that stand for all names below them.
    private readonly ImmutableArray<byte[]> hosts =
        [.. spec.Hosts.Select(host => Encoding.ASCII.GetBytes(host.StartsWith("*.", StringComparison.Ordinal)
            ? host[1..] : host))];

    private readonly StepResult refusal = StepResult.Refuse(
        new Fault(ErrorCodes.RefererRefused, "Pages of that site may not show this."));

    public Stage Stage => Stage.Inspection;

    public ValueTask<StepResult> RunAsync(Exchange exchange)
    {
        var referer = exchange.Request.Fields.First(KnownField.Referer);
        var allowed = referer.IsEmpty ? spec.AllowEmpty : IsListed(referer, exchange.Request.Host);
        exchange.Note(Stage.Inspection, allowed ? "referer allowed" : "referer refused");
        return ValueTask.FromResult(allowed ? StepResult.GoOn : refusal);
    }

    private bool IsListed(ReadOnlySpan<byte> referer, ReadOnlySpan<byte> asked)
    {
        var start = referer.IndexOf("://"u8);
        if (start < 0) return false;
        var rest = referer[(start + 3)..];
        var end = rest.IndexOfAny("/?#"u8);
        if (end >= 0) rest = rest[..end];
        Span<byte> host = stackalloc byte[HostForm.MaxLength + 2];
        var length = HostForm.Normalize(rest, host);
        if (length <= 0) return false;
        host = host[..length];
        if (host.SequenceEqual(asked)) return true;
        foreach (var one in hosts)
            if (one[0] == '.' ? host.Length > one.Length && host.EndsWith(one) : host.SequenceEqual(one)) return true;
        return false;
    }
}
