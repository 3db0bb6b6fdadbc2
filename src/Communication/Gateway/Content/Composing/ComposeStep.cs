using System.Buffers;
using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using Groundwork.Communication.Gateway.Content.Calling;
using Groundwork.Communication.Gateway.Delivery;
using Groundwork.Communication.Gateway.Exchanges;
using Groundwork.Communication.Gateway.Routing;
using Groundwork.Communication.Gateway.Steps;
using Groundwork.Communication.Gateway.Transforms;
using Groundwork.Wire;
using Groundwork.Wire.Http1;

namespace Groundwork.Communication.Gateway.Content.Composing;

/// <summary>Makes the step of routes whose answer is put together of several.</summary>
internal sealed class ComposeMaker(InnerCalls calls, OwnAnswers answers, TimeProvider time) : IStepMaker
{
    public IEnumerable<IRequestStep> Make(StepContext context)
    {
        // What a newer version writes may have parts that lead nowhere here: then there is no step, and no answer.
        if (context is { Policies: RouteSpec { Compose: { } spec } route, Path: { } path }
            && ComposeStep.TryMake(context.Key, route, spec, path) is { } parts)
            yield return new ComposeStep(spec, parts, calls, answers, time);
    }
}

/// <summary>
/// Asks several services at once and answers with one object that has their answers by name. All have one deadline; a
/// part that is not required may be missing.
/// </summary>
internal sealed class ComposeStep(
    ComposeSpec spec, ImmutableArray<ComposeStep.Part> parts, InnerCalls calls, OwnAnswers answers, TimeProvider time)
    : IRequestStep, ILeadsSomewhere
{
    private static readonly byte[] AcceptEncoding = [.. "accept-encoding"u8];

    public Stage Stage => Stage.Answer;

    public IEnumerable<Target> Targets => parts.SelectMany(static part => part.Route.Deliveries?.Targets ?? []);

    /// <summary>Null when a part is not understood.</summary>
    public static ImmutableArray<Part>? TryMake(
        Kernel.Resources.ResourceKey key, RouteSpec route, ComposeSpec spec, PathPattern path)
    {
        var made = ImmutableArray.CreateBuilder<Part>();
        foreach (var part in spec.Parts)
        {
            var own = new RouteSpec(
                new MatchSpec(route.Match.Hosts, route.Match.Path), part.Service, Upstream: part.Upstream,
                Timeouts: route.Timeouts);
            if (TextTemplate.Explain(part.Path, path) is not null || Route.TryCompilePart(key, own) is not { } target)
                return null;
            made.Add(new Part(part, TextTemplate.Parse(part.Path, path), target));
        }
        return made.ToImmutable();
    }

    public async ValueTask<StepResult> RunAsync(Exchange exchange)
    {
        if (exchange.Request.Method is not (KnownMethod.Get or KnownMethod.Head))
        {
            exchange.AnswerFields.Add(new("Allow", "GET, HEAD"));
            return StepResult.Refuse(new Fault(
                ErrorCodes.MethodNotAllowed, "An answer that is put together can only be read."));
        }
        using var deadline = new CancellationTokenSource(TimeSpan.FromMilliseconds(spec.TimeoutMs), time);
        var asked = new InnerClient[parts.Length];
        var calling = new Task[parts.Length];
        for (var index = 0; index < parts.Length; index++)
        {
            asked[index] = new InnerClient(
                exchange.Client.Address, exchange.Client.AddressText.ToArray(), exchange.Client.IsSecure,
                spec.MaxPartKilobytes * 1024);
            calling[index] = AskAsync(exchange, parts[index], asked[index], deadline.Token);
        }
        await Task.WhenAll(calling);
        var missing = new List<string>();
        if (Merge(asked, deadline.IsCancellationRequested, missing, out var fault) is not { } body)
            return StepResult.Refuse(fault!); // Set where there is no body.
        var head = exchange.Head;
        head.Own.Add(new("Content-Type", "application/json"));
        if (missing.Count > 0)
        {
            // What lacks something is nothing to keep.
            head.Own.Add(new("Cache-Control", "no-store"));
            head.Added.Add(new(HeaderNames.Degraded, "missing; parts=\"" + string.Join(' ', missing) + '"'));
        }
        exchange.Note(Stage.Answer, missing.Count == 0 ? "all parts" : "parts are missing");
        if (exchange.Route.Transform?.Apply(exchange.View(), exchange.Parameters) is { } transformed)
        {
            head.Transformed = transformed;
            head.Own.RemoveAll(field => transformed.RemovesFromAnswer(Encoding.ASCII.GetBytes(field.Key)));
        }
        await answers.GiveAsync(exchange, 200, body);
        return StepResult.Answered;
    }

    private Task AskAsync(Exchange exchange, Part part, InnerClient client, CancellationToken deadline)
    {
        var target = part.Path.Write(exchange.View(), exchange.Parameters);
        var mark = Array.IndexOf(target, (byte)'?');
        var head = mark < 0
            ? InnerCalls.HeadLike(exchange, target, default)
            : InnerCalls.HeadLike(exchange, target.AsSpan(0, mark), target.AsSpan(mark));
        return calls.CallAsync(
            head, part.Route, client, Stage.Answer,
            inner =>
            {
                inner.Trusted = exchange.Trusted;
                inner.CallerAddress = exchange.CallerAddress;
                inner.RequestFields.AddRange(exchange.RequestFields);
                inner.WithheldFields.Add(AcceptEncoding); // It is read here.
                return true;
            },
            deadline);
    }

    private byte[]? Merge(InnerClient[] asked, bool isLate, List<string> missing, out Fault? fault)
    {
        fault = null;
        var output = new ArrayBufferWriter<byte>();
        using var writer = new Utf8JsonWriter(output);
        writer.WriteStartObject();
        for (var index = 0; index < parts.Length; index++)
        {
            var (part, client) = (parts[index].Spec, asked[index]);
            writer.WritePropertyName(part.Name);
            var wrong = Explain(client, isLate);
            if (wrong is null) writer.WriteRawValue(client.Body.Span, skipInputValidation: true);
            else if (part.Required)
            {
                fault = new Fault(
                    isLate && !client.IsWhole ? ErrorCodes.UpstreamTimeout : ErrorCodes.PartFailed,
                    $"The part '{part.Name}' of the answer {wrong}.");
                return null;
            }
            else
            {
                missing.Add(part.Name);
                writer.WriteRawValue(part.Default ?? "null", skipInputValidation: true);
            }
        }
        writer.WriteEndObject();
        writer.Flush();
        return output.WrittenSpan.ToArray();
    }

    private static string? Explain(InnerClient client, bool isLate)
    {
        if (client.IsTooLarge) return "is too large";
        if (!client.IsWhole) return isLate ? "did not come in time" : "broke off";
        if (!client.IsOfInstance) return "could not be had";
        if (client.Status is < 200 or > 299) return $"has the status {client.Status}";
        return client.ContentCoding.Length > 0 || !IsJson(client.Body) ? "is no JSON" : null;
    }

    // One value and nothing behind it.
    private static bool IsJson(ReadOnlyMemory<byte> body)
    {
        var reader = new Utf8JsonReader(body.Span, new JsonReaderOptions { MaxDepth = 64 });
        try
        {
            while (reader.Read())
            {
                // Reading is the test.
            }
            return reader.BytesConsumed > 0 && reader.CurrentDepth == 0;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    internal sealed record Part(PartSpec Spec, TextTemplate Path, Route Route);
}

/// <summary>A step that sends requests of its own somewhere.</summary>
internal interface ILeadsSomewhere
{
    IEnumerable<Target> Targets { get; }
}
