using System.Net;
using Groundwork.Communication.Gateway.Access;
using Groundwork.Communication.Gateway.Routing;
using Groundwork.Communication.Gateway.Serving;
using Groundwork.Communication.Gateway.Steps;
using Groundwork.Communication.Gateway.Transforms;

namespace Groundwork.Communication.Gateway.Exchanges;

// What steps need of a request, and leave with it.
internal sealed partial class Exchange
{
    /// <summary>Decisions that are kept of one request: attempts are few, and so are steps.</summary>
    private const int MaxDecisions = 64;

    private readonly List<IHeld> held = [];
    private IClient origin = null!; // Who sent the request. Set before anything else is asked of the exchange.
    private readonly List<Decision> decisions = [];

    /// <summary>When its head was complete, by the clock's timestamp.</summary>
    public long Began { get; private set; }

    /// <summary>The same, by the calendar.</summary>
    public DateTimeOffset Came { get; private set; }

    /// <summary>
    /// When the last wait for somebody else was over, by the clock's timestamp. What is done without a wait is done
    /// at that moment: to look at the clock for each of it would cost more than most of it does.
    /// </summary>
    public long Now { get; private set; }

    /// <summary>What the route's path captures; set with the route.</summary>
    public PathParameters Parameters { get; set; }

    /// <summary>Who sent it, as far as proxies before us are believed; null when unknown.</summary>
    public IPAddress? CallerAddress { get; set; }

    /// <summary>Who that is, once it is made sure of; null: nobody says, or nobody asked.</summary>
    public Caller? Caller { get; set; }

    /// <summary>Fields that the instance gets from steps, besides those of the client and of the route.</summary>
    public List<WrittenField> RequestFields { get; } = [];

    /// <summary>Fields of the client that the instance does not get; in lower case.</summary>
    public List<byte[]> WithheldFields { get; } = [];

    /// <summary>Fields that the client gets with whatever answer, be it the instance's or one of ours.</summary>
    public List<KeyValuePair<string, string>> AnswerFields { get; } = [];

    /// <summary>Names of fields that the client gets from nobody but steps.</summary>
    public List<string> DroppedFields { get; } = [];

    public IReadOnlyList<Decision> Decisions => decisions;

    /// <summary>The request as routes look at it, with the time at which it came.</summary>
    public RequestView View() => new()
    {
        Host = Request.Host,
        Path = Request.Path,
        Method = Request.MethodName,
        Query = Request.Query.IsEmpty ? Request.Query : Request.Query[1..],
        Fields = Fields,
        Client = CallerAddress,
        Time = Came,
    };

    /// <summary>Puts a client before the one there is, which it passes on to: it sees the answer first.</summary>
    public void Wrap(IClient client) => Client = client;

    /// <summary>Has something told when the request is over.</summary>
    public void Hold(IHeld one) => held.Add(one);

    /// <summary>Takes note of a decision. Allocates nothing once the exchange has served a few.</summary>
    public void Note(Stage stage, string what, object? about = null)
    {
        if (decisions.Count < MaxDecisions)
            decisions.Add(new Decision(stage, what, about, Now - Began));
    }

    /// <summary>A wait is over.</summary>
    public void Resume() => Now = time.GetTimestamp();

    /// <summary>The request is over: what it held is let go, the last first.</summary>
    public void Release()
    {
        for (var index = held.Count - 1; index >= 0; index--) held[index].End(this);
        held.Clear();
    }

    private void Start(IClient client)
    {
        Client = origin = client;
        traffic = client as ITraffic;
        CallerAddress = client.Address;
        Began = Now = time.GetTimestamp();
        Came = time.GetUtcNow();
        Head.Clear();
    }

    private void ClearPassage()
    {
        Parameters = default;
        CallerAddress = null;
        Caller = null;
        RequestFields.Clear();
        WithheldFields.Clear();
        AnswerFields.Clear();
        DroppedFields.Clear();
        decisions.Clear();
        ClearRecord();
    }
}
