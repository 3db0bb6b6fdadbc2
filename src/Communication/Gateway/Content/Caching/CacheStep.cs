using System.Buffers;
using System.Globalization;
using Groundwork.Communication.Gateway.Content.Calling;
using Groundwork.Communication.Gateway.Exchanges;
using Groundwork.Communication.Gateway.Steps;
using Groundwork.Kernel.Resources;
using Groundwork.Wire;
using Groundwork.Wire.Http1;

namespace Groundwork.Communication.Gateway.Content.Caching;

/// <summary>Answers a route's requests with what is kept, and has kept what may be (RFC 9111, 4).</summary>
internal sealed class CacheStep(CacheSpec spec, ResourceKey route, ResponseCache cache, CacheFigures figures)
    : IRequestStep
{
    private static readonly byte[][] Conditions = [[.. "if-none-match"u8], [.. "if-modified-since"u8]];

    private readonly CacheKeyForm form = new(route, spec);

    public Stage Stage => Stage.Cache;

    public ResponseCache Cache => cache;

    public CacheFigures Figures => figures;

    public KeptAnswers Kept => cache.Kept;

    public StorageRules Rules { get; } = new(spec);

    public ValueTask<StepResult> RunAsync(Exchange exchange)
    {
        var request = exchange.Request;
        if (PassedBy(exchange) is { } reason)
        {
            figures.Bypassed();
            exchange.Note(Stage.Cache, reason);
            exchange.AnswerFields.Add(new("Cache-Status", $"{KeptAnswers.Name}; fwd={reason}"));
            if (request.Method is not (KnownMethod.Get or KnownMethod.Head or KnownMethod.Options)) Watch(exchange);
            return ValueTask.FromResult(StepResult.GoOn);
        }
        var control = ReadControl(request.Fields);
        var buffer = form.Write(exchange, out var length);
        try
        {
            var key = new CacheKey(buffer, length);
            var slot = cache.Store.Find(key);
            var found = slot?.Find(request.Fields);
            var now = cache.Time.GetUtcNow();
            if (found is not null && MayGive(found, control, now)) return GiveAsync(exchange, found, now, "");
            if (found is not null && MayGiveWhileFetching(found, control, now))
            {
                Refresh(exchange, key.Own(), found, control);
                return GiveAsync(exchange, found, now, "");
            }
            return FetchAsync(exchange, key.Own(), control, found, slot is not null);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private string? PassedBy(Exchange exchange)
    {
        var request = exchange.Request;
        if (request.Method is not (KnownMethod.Get or KnownMethod.Head)) return "method";
        if (exchange.Upgrade || request.Body != BodyKind.None) return "request";
        // It is for who asked; the answers of others are not for them either.
        if (request.Fields.Has(KnownField.Authorization) && !spec.WithAuthorization) return "bypass";
        return Preconditions.AsksOrigin(request.Fields) ? "request" : null;
    }

    private CacheControl ReadControl(FieldTable fields)
    {
        if (spec.IgnoreClientControl) return CacheControl.None;
        return !fields.Has(KnownField.CacheControl) && fields.TryGet("pragma"u8, out var pragma)
            && System.Text.Ascii.EqualsIgnoreCase(pragma, "no-cache"u8)
            ? CacheControl.Pragma : CacheControl.Read(fields);
    }

    private void Watch(Exchange exchange)
    {
        var buffer = form.Write(exchange, out var length);
        exchange.Wrap(new ForgettingClient(exchange, cache, new CacheKey(buffer, length).Own()));
        ArrayPool<byte>.Shared.Return(buffer);
    }

    private static bool MayGive(StoredAnswer kept, CacheControl control, DateTimeOffset now)
    {
        if (kept.NoCache || control.NoCache) return false;
        var age = kept.AgeAt(now);
        if (control.MaxAge >= 0 && age > control.MaxAge) return false;
        if (age < kept.Lifetime) return control.MinFresh < 0 || kept.Lifetime - age >= control.MinFresh;
        return control.MaxStale >= 0 && !kept.ForbidsStale && age - kept.Lifetime <= control.MaxStale;
    }

    private static bool MayGiveWhileFetching(StoredAnswer kept, CacheControl control, DateTimeOffset now) =>
        !kept.NoCache && !control.NoCache && control.MaxAge < 0 && control.MinFresh < 0
        && kept.StaleWhileRevalidate > 0 && kept.StalenessAt(now) is > -1 and var late
        && late < kept.StaleWhileRevalidate;

    private async ValueTask<StepResult> GiveAsync(
        Exchange exchange, StoredAnswer kept, DateTimeOffset now, string besides)
    {
        var late = kept.StalenessAt(now);
        if (late < 0) figures.Hit(kept.Body.Length);
        else figures.Stale(kept.Body.Length);
        exchange.Note(Stage.Cache, late < 0 ? "hit" : "stale hit");
        await cache.Kept.GiveAsync(
            exchange, kept,
            string.Create(CultureInfo.InvariantCulture, $"{KeptAnswers.Name}; hit; ttl={-late}{besides}"), now);
        return StepResult.Answered;
    }

    private async ValueTask<StepResult> FetchAsync(
        Exchange exchange, CacheKey key, CacheControl control, StoredAnswer? found, bool known)
    {
        var fields = exchange.Request.Fields;
        if (control.OnlyIfCached)
            return StepResult.Refuse(new Fault(
                ErrorCodes.NotCached, "The client wants what is kept alone, and nothing is."));
        var why = found is not null ? "stale" : known ? "vary-miss" : "uri-miss";
        if (control.NoCache && found is not null) why = "request";
        // A part of a whole, or a head alone, is nothing to keep, and nothing to wait for.
        if (exchange.Request.Method == KnownMethod.Head || fields.Has(KnownField.Range) || control.NoStore)
        {
            figures.Miss(exchange.Request.Path, exchange.Request.Query);
            exchange.AnswerFields.Add(new("Cache-Status", $"{KeptAnswers.Name}; fwd={why}"));
            return StepResult.GoOn;
        }
        var until = cache.Time.GetUtcNow().AddMilliseconds(spec.WaitMs);
        while (spec.WaitMs > 0 && !cache.IsUnshared(key) && !exchange.Client.IsGone)
        {
            var flightKey = FlightOf(key, fields);
            if (cache.TryLead(flightKey, out var flight))
            {
                Lead(exchange, key, flightKey, flight, found, control, why);
                return StepResult.GoOn;
            }
            if (!await LandsAsync(flightKey, flight, until)) break;
            found = cache.Store.Find(key)?.Find(fields);
            var now = cache.Time.GetUtcNow();
            // It has just been fetched: whoever wanted a new one has it.
            if (found is null || !found.IsFreshAt(now)) continue;
            figures.Collapsed();
            return await GiveAsync(exchange, found, now, "; collapsed");
        }
        Lead(exchange, key, default, null, found, control, why);
        return StepResult.GoOn;
    }

    // False when it is not waited for any longer.
    private async ValueTask<bool> LandsAsync(FlightKey key, Flight flight, DateTimeOffset until)
    {
        var left = until - cache.Time.GetUtcNow();
        if (left <= TimeSpan.Zero) return false;
        if (await cache.AwaitAsync(flight, left) is { } end) return end != FlightEnd.NotShared;
        cache.Leave(key, flight);
        return false;
    }

    private FlightKey FlightOf(CacheKey key, FieldTable request)
    {
        // Those who get different answers, as far as is known, do not wait for each other.
        foreach (var node in cache.Store.Find(key)?.Nodes ?? [])
            if (node.Answer is { } answer) return new FlightKey(key, answer.Selection.KeyOf(request));
        return new FlightKey(key, 0);
    }

    private void Lead(
        Exchange exchange, CacheKey key, FlightKey flightKey, Flight? flight, StoredAnswer? old, CacheControl control,
        string why)
    {
        figures.Miss(exchange.Request.Path, exchange.Request.Query);
        // Others want the whole; what the client has is seen when it is there.
        if (flight is not null || old is not null) exchange.WithheldFields.AddRange(Conditions);
        if (old is { ETag.Length: > 0 }) exchange.RequestFields.Add(new("If-None-Match"u8.ToArray(), old.ETag));
        else if (old is { LastModified.Length: > 0 })
            exchange.RequestFields.Add(new("If-Modified-Since"u8.ToArray(), old.LastModified));
        var client = new StoringClient(exchange, this, key, flightKey, flight, old, control, why);
        exchange.Wrap(client);
        exchange.Hold(client);
    }

    // Whoever comes meanwhile gets the old one too. The task is counted among the requests under way, which a stop
    // waits for, and takes no exception out.
    private void Refresh(Exchange exchange, CacheKey key, StoredAnswer old, CacheControl control)
    {
        var flightKey = FlightOf(key, exchange.Request.Fields);
        if (!cache.TryLead(flightKey, out var flight)) return;
        var (asking, parameters, trusted, caller) = (
            exchange.Client, exchange.Parameters, exchange.Trusted, exchange.CallerAddress);
        var client = new InnerClient(asking.Address, asking.AddressText.ToArray(), asking.IsSecure, 0);
        var head = InnerCalls.HeadLike(exchange, exchange.Request.Path, exchange.Request.Query);
        Transforms.WrittenField[] added = [.. exchange.RequestFields];
        _ = FetchAsync();

        async Task FetchAsync()
        {
            await cache.Calls.CallAsync(head, exchange.Route, client, Stage.Cache, inner =>
            {
                inner.Parameters = parameters;
                inner.Trusted = trusted;
                inner.CallerAddress = caller;
                inner.RequestFields.AddRange(added);
                Lead(inner, key, flightKey, flight, old, control, "stale");
                return true;
            });
            // Where it did not even begin.
            cache.Land(key, flightKey, flight, FlightEnd.Failed);
        }
    }
}
