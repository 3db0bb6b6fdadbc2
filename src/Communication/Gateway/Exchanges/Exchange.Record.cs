using Groundwork.Communication.Gateway.Balancing;
using Groundwork.Communication.Gateway.Calling;
using Groundwork.Communication.Gateway.Recording;
using Groundwork.Communication.Gateway.Routing;
using Groundwork.Communication.Gateway.Serving;
using Groundwork.Communication.Gateway.Steps;
using Groundwork.Wire;

namespace Groundwork.Communication.Gateway.Exchanges;

// What is remembered of it when it is over.
internal sealed partial class Exchange
{
    /// <summary>The code of a request whose client went away, which no answer has.</summary>
    public const string ClientGoneCode = "client_gone";

    /// <summary>What the log and the figures have for a status where no answer was begun, as nginx has it.</summary>
    public const int ClientGoneStatus = 499;

    private ITraffic? traffic; // Of the client that it began with; null for one that does not count.

    /// <summary>The code of what went wrong; null where nothing did.</summary>
    public string? Code { get; set; }

    /// <summary>Tries at instances.</summary>
    public int Attempts { get; private set; }

    /// <summary>The instance of the last one; null where there was none.</summary>
    public Upstream? Instance { get; private set; }

    /// <summary>The routes among which its own was looked for; null when it came to no such search.</summary>
    public RouteTable? Table { get; private set; }

    /// <summary>The revision in force then.</summary>
    public long Revision { get; private set; }

    /// <summary>What the client has got; <see cref="ClientGoneStatus"/> where nothing was begun.</summary>
    public int Status => traffic?.Status is null or 0 ? ClientGoneStatus : traffic.Status;

    /// <summary>Bytes of the request's body that came.</summary>
    public long BytesIn => traffic?.BytesIn ?? 0;

    /// <summary>Bytes of the answer's body that went out.</summary>
    public long BytesOut => traffic?.BytesOut ?? 0;

    /// <summary>Takes note of where its route was looked for.</summary>
    public void NoteSearch(RouteTable table, long revision) => (Table, Revision) = (table, revision);

    // A second try on a new connection, because a kept one was closed just then, is the same attempt.
    private void NoteAttempt(Upstream upstream, bool kept)
    {
        if (kept) Attempts++;
        Instance = upstream;
        Note(Stage.Attempt, kept ? "asked" : "asked again over a new connection", upstream);
    }

    private CallFailure NoteOutcome(Upstream upstream, CallFailure failure, long asked)
    {
        Resume();
        upstream.Series?.Count(failure, (long)time.GetElapsedTime(asked, Now).TotalMicroseconds);
        Note(Stage.Attempt, failure == CallFailure.None ? "answered" : GatewayFigures.ReasonOf(failure), upstream);
        return failure;
    }

    private void NoteCut() => Code ??= Client.IsGone ? ClientGoneCode : ErrorCodes.UpstreamFailed.Code;

    private void ClearRecord()
    {
        traffic = null;
        Code = null;
        Attempts = 0;
        Instance = null;
        Table = null;
        Revision = 0;
    }
}
