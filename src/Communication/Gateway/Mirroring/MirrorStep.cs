using Groundwork.Communication.Gateway.Delivery;
using Groundwork.Communication.Gateway.Exchanges;
using Groundwork.Communication.Gateway.Serving;
using Groundwork.Communication.Gateway.Steps;
using Groundwork.Wire.Http1;

namespace Groundwork.Communication.Gateway.Mirroring;

/// <summary>Makes the mirrors of routes.</summary>
internal sealed class MirrorMaker(MirrorSender sender) : IStepMaker
{
    public IEnumerable<IRequestStep> Make(StepContext context)
    {
        if (context.Policies is RouteSpec { Mirror: { } spec }
            && Target.TryMake(spec.Service, spec.Upstream, context.Key.Namespace) is { } target)
            yield return new MirrorStep(spec, target, sender);
    }
}

/// <summary>Has some requests copied when they are over; they never wait for that.</summary>
internal sealed class MirrorStep(MirrorSpec spec, Target target, MirrorSender sender) : IRequestStep
{
    public Stage Stage => Stage.Injection;

    public ValueTask<StepResult> RunAsync(Exchange exchange)
    {
        if (!exchange.Upgrade && Random.Shared.NextDouble() * 100 < spec.Percent) Begin(exchange);
        return ValueTask.FromResult(StepResult.GoOn);
    }

    private void Begin(Exchange exchange)
    {
        CopyingClient? copying = null;
        if (exchange.Request.Body != BodyKind.None)
        {
            copying = new CopyingClient(exchange.Client, spec.MaxBodyKilobytes * 1024);
            exchange.Wrap(copying);
        }
        exchange.Note(Stage.Injection, "mirrored", target);
        exchange.Hold(new Copy(target, sender, copying));
    }

    private sealed class Copy(Target target, MirrorSender sender, CopyingClient? body) : IHeld
    {
        public void End(Exchange exchange)
        {
            // What went nowhere is not copied, nor what the client did not send to its end.
            if (exchange.Destination.Target is null) return;
            if (body is null) sender.Send(exchange, target, []);
            else if (body.TryTake(out var bytes)) sender.Send(exchange, target, bytes);
            else sender.Drop();
        }
    }
}

/// <summary>Passes everything on, and copies the body up to a bound.</summary>
internal sealed class CopyingClient(IClient inner, int maxBytes) : PassingClient(inner)
{
    private readonly MemoryStream copy = new();
    private bool isTooLarge;
    private bool hasEnded;

    /// <summary>The body; false when it was too large or did not come to its end.</summary>
    public bool TryTake(out byte[] bytes)
    {
        bytes = hasEnded && !isTooLarge ? copy.ToArray() : [];
        return hasEnded && !isTooLarge;
    }

    public override async ValueTask<int> ReadBodyAsync(Memory<byte> into)
    {
        var count = await Next.ReadBodyAsync(into);
        if (count == 0) hasEnded = true;
        else if (copy.Length + count > maxBytes) isTooLarge = true;
        else if (!isTooLarge) copy.Write(into.Span[..count]);
        return count;
    }
}
