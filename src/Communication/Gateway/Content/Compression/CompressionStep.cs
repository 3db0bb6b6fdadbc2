using Groundwork.Communication.Gateway.Exchanges;
using Groundwork.Communication.Gateway.Steps;
using Groundwork.Wire.Http1;

namespace Groundwork.Communication.Gateway.Content.Compression;

/// <summary>Makes the step of routes that compress, and counts what is compressed at once.</summary>
internal sealed class CompressionMaker : IStepMaker
{
    /// <summary>
    /// Answers that are compressed at once: an encoder holds up to a megabyte, and a machine has few processors for it.
    /// The next ones go out as they are.
    /// </summary>
    public const int MaxUnderWay = 256;

    private int underWay;

    public int UnderWay => Volatile.Read(ref underWay);

    public IEnumerable<IRequestStep> Make(StepContext context)
    {
        if (context.Policies.Compress is { } spec) yield return new CompressionStep(spec, this);
    }

    public bool TryBegin()
    {
        if (Interlocked.Increment(ref underWay) <= MaxUnderWay) return true;
        Interlocked.Decrement(ref underWay);
        return false;
    }

    public void End() => Interlocked.Decrement(ref underWay);
}

/// <summary>Has the answers to a route's requests pass a <see cref="CompressingClient"/>.</summary>
internal sealed class CompressionStep : IRequestStep
{
    private readonly CompressionMaker maker;
    private readonly Coding first;
    private readonly Coding second;

    public CompressionStep(CompressSpec spec, CompressionMaker maker)
    {
        this.maker = maker;
        Coding[] order = spec.Algorithms is { } listed
            ? [.. listed.Select(name => name == "br" ? Coding.Brotli : Coding.Gzip)]
            : [Coding.Brotli, Coding.Gzip];
        (first, second) = (order[0], order.Length > 1 ? order[1] : Coding.None);
        Types = new MediaTypes(spec.Types);
        MinBytes = spec.MinBytes;
        Level = spec.Level;
        WithCredentials = spec.WithCredentials;
    }

    // Before the steps that answer themselves and behind the cache, which keeps what was compressed.
    public Stage Stage => Stage.Transform;

    public MediaTypes Types { get; }

    public int MinBytes { get; }

    public int Level { get; }

    public bool WithCredentials { get; }

    public ValueTask<StepResult> RunAsync(Exchange exchange)
    {
        var fields = exchange.Request.Fields;
        var client = new CompressingClient(
            exchange, this, maker, AcceptedCodings.Choose(fields, first, second),
            fields.Has(KnownField.Cookie) || fields.Has(KnownField.Authorization));
        exchange.Wrap(client);
        exchange.Hold(client);
        return ValueTask.FromResult(StepResult.GoOn);
    }
}
