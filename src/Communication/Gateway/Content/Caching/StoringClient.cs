using System.Buffers;
using System.Globalization;
using Groundwork.Communication.Gateway.Exchanges;
using Groundwork.Communication.Gateway.Serving;
using Groundwork.Communication.Gateway.Steps;
using Groundwork.Wire;
using Groundwork.Wire.Http1;

namespace Groundwork.Communication.Gateway.Content.Caching;

/// <summary>
/// Sees the answer of the origin before the client does: keeps it where that is allowed, freshens what is kept when the
/// origin says that it still holds, and gives what is kept in place of an error.
/// </summary>
/// <param name="key">In bytes of its own.</param>
/// <param name="awaited">For those who wait for this answer; null when nobody does.</param>
/// <param name="old">What is kept and no longer good without asking; null: nothing.</param>
/// <param name="why">Why the origin is asked, as <c>Cache-Status</c> says it.</param>
internal sealed class StoringClient(
    Exchange exchange, CacheStep step, CacheKey key, FlightKey flightKey, Flight? awaited, StoredAnswer? old,
    CacheControl control, string why) : PassingClient(exchange.Client), IHeld
{
    private readonly DateTimeOffset asked = step.Cache.Time.GetUtcNow();
    private readonly long purges = step.Cache.Purges;
    private Flight? flight = awaited; // Null once those who wait have been told.
    private StoredAnswer? pending; // What will be kept, but for its body.
    private ArrayBufferWriter<byte>? body;
    private long received;
    private bool swallows; // The client has been given something else, whole.
    private bool flushed; // And it has gone out.

    public override void Begin(AnswerHead head)
    {
        if (swallows) return; // A refusal of what came after an answer that was given already.
        (pending, body, received) = (null, null, 0);
        var now = step.Cache.Time.GetUtcNow();
        if (head.Status == 304 && head.From is not null && old is { HasValidator: true })
        {
            GiveFreshened(head, old, now);
            return;
        }
        var isRefusal = head.From is null && head.Own.Count == 0;
        if ((isRefusal || head.Status is 500 or 502 or 503 or 504) && GiveStale(head, now)) return;
        var said = CacheControl.None;
        var refused = isRefusal ? "refused" : step.Rules.Refuse(exchange, head, control, out said);
        if (refused is null)
        {
            pending = step.Rules.Make(exchange, head, said, asked, now);
            if (pending is null) refused = "no lifetime";
        }
        exchange.Note(Stage.Cache, refused ?? "to be kept");
        if (pending is null && !isRefusal && head.Status < 500) Leave(FlightEnd.NotShared);
        head.Added.Add(new("Cache-Status", string.Create(
            CultureInfo.InvariantCulture,
            $"{KeptAnswers.Name}; fwd={why}; fwd-status={head.Status}{(pending is null ? "" : "; stored")}")));
        // The client's own conditions were kept from the origin, so that others get the whole.
        if (head.Status == 200 && Preconditions.HasIt(
            exchange.Request.Fields, head.Find("etag"u8), HttpDates.Read(head.Find("last-modified"u8))))
        {
            KeptAnswers.Spare(head);
            Next.Begin(head);
            Next.End(null);
            swallows = true;
            return;
        }
        Next.Begin(head);
    }

    public override void Write(ReadOnlySpan<byte> bytes)
    {
        received += bytes.Length;
        if (pending is not null)
        {
            if (received <= step.Rules.MaxBodyBytes) (body ??= new ArrayBufferWriter<byte>()).Write(bytes);
            else GiveUp();
        }
        if (!swallows) Next.Write(bytes);
    }

    public override Memory<byte> Room(int bytes) => pending is null && !swallows ? Next.Room(bytes) : default;

    public override void Advance(int bytes)
    {
        received += bytes;
        Next.Advance(bytes);
    }

    public override void End(FieldTable? trailers)
    {
        step.Figures.Fetched(received);
        if (pending is { } head && trailers is null)
        {
            var kept = head with { Body = body?.WrittenSpan.ToArray() ?? default, Figures = step.Figures };
            pending = null;
            // Who looks for it then finds it: it is kept before the others are told.
            if (step.Cache.Put(key, kept, purges)) Leave(EndOf(kept));
        }
        Leave(FlightEnd.NotShared);
        if (!swallows) Next.End(trailers);
    }

    public override async ValueTask<bool> FlushAsync()
    {
        // The origin's own answer is read on, where somebody wants to keep it.
        if (swallows && flushed) return pending is not null;
        var more = await Next.FlushAsync();
        flushed = swallows;
        return more;
    }

    public override void Abort()
    {
        pending = null;
        if (!(swallows && flushed)) Next.Abort();
    }

    public void End(Exchange ended)
    {
        pending = null;
        Leave(FlightEnd.Failed);
    }

    /// <summary>True when what is kept may be given in place of an error.</summary>
    public bool HasStale(DateTimeOffset now) =>
        old is not null && !Next.HasBegun && old.StaleIfError > 0 && old.StalenessAt(now) < old.StaleIfError;

    private bool GiveStale(AnswerHead head, DateTimeOffset now)
    {
        if (old is null || !HasStale(now)) return false;
        exchange.Note(Stage.Cache, "stale in place of an error");
        step.Figures.Stale(old.Body.Length);
        var status = string.Create(
            CultureInfo.InvariantCulture,
            $"{KeptAnswers.Name}; hit; fwd={why}; fwd-status={head.Status}; ttl={-old.StalenessAt(now)}");
        exchange.AnswerFields.Add(new(HeaderNames.Degraded, "stale"));
        Leave(FlightEnd.Failed);
        step.Kept.Give(exchange, old, status, now, Next);
        swallows = true;
        return true;
    }

    private void GiveFreshened(AnswerHead head, StoredAnswer before, DateTimeOffset now)
    {
        var fresh = step.Rules.Freshen(before, exchange, head, asked, now);
        step.Figures.Revalidated();
        exchange.Note(Stage.Cache, "still holds");
        if (fresh is null) step.Cache.Store.Remove(key);
        else if (step.Cache.Put(key, fresh with { Figures = step.Figures }, purges)) Leave(EndOf(fresh));
        Leave(FlightEnd.NotShared);
        var given = fresh ?? before;
        step.Kept.Give(
            exchange, given, $"{KeptAnswers.Name}; hit; fwd={why}; fwd-status=304{(fresh is null ? "" : "; stored")}",
            now, Next);
        swallows = true;
    }

    private FlightEnd EndOf(StoredAnswer kept) =>
        kept.IsFreshAt(step.Cache.Time.GetUtcNow()) ? FlightEnd.Kept : FlightEnd.NotShared;

    private void GiveUp()
    {
        pending = null;
        body = null;
        Leave(FlightEnd.NotShared);
    }

    private void Leave(FlightEnd how)
    {
        if (flight is not { } mine) return;
        flight = null;
        step.Cache.Land(key, flightKey, mine, how);
    }
}

/// <summary>Forgets what is kept of an address once somebody has changed what is there (RFC 9111, 4.4).</summary>
internal sealed class ForgettingClient(Exchange exchange, ResponseCache cache, CacheKey key)
    : PassingClient(exchange.Client)
{
    public override void Begin(AnswerHead head)
    {
        if (head is { From: not null, Status: >= 200 and < 400 }) cache.Forget(key);
        Next.Begin(head);
    }
}
