using System.Globalization;
using Groundwork.Services.Registry.Policies;
using Groundwork.Services.Registry.Storing;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Services.Registry.Explaining;

/// <summary>Says in plain words why an instance is, or is not, called, and what to do next.</summary>
internal sealed class InstanceExplainer(InstanceRegistry registry, ServiceHistory history, RefusedClaims refused)
{
    /// <summary>Events that are shown with it.</summary>
    private const int ShownEvents = 10;

    /// <summary>Other instances that are named, for who has mistaken the id.</summary>
    private const int ShownOthers = 5;

    public async Task<ExplanationDocument> ExplainAsync(InstanceKey key, CancellationToken cancellationToken)
    {
        var events = (await history.ReadAsync(key.Service, cancellationToken))
            .Where(stored => stored.Event.Id == key.Id).ToArray();
        var view = registry.FindFresh(key.Service);
        var instance = view?.Instances.FirstOrDefault(one => one.Key.Id == key.Id);
        var callable = instance is not null && view!.Callable.Contains(instance); // The view that it was found in.
        var story = new Story();
        if (instance is null) TellMissing(story, key, view, events);
        else TellListed(story, view!, instance, events);
        TellRefusal(story, key);
        if (callable) TellCalled(story, view!);
        return new ExplanationDocument(
            key.Service.Namespace, key.Service.Group, key.Service.Service, key.Id, instance is not null, callable,
            Summarize(key, instance, callable, story), story.Reasons, story.Next,
            [.. events.Take(ShownEvents).Select(stored => InstanceDocuments.Write(stored.Event, stored.Node))],
            instance is null ? null : InstanceDocuments.Write(instance, registry.ExpiresAt(instance), callable));
    }

    private void TellMissing(Story story, InstanceKey key, ServiceView? view, StoredEvent[] events)
    {
        var left = events.FirstOrDefault(stored =>
            stored.Event.Kind is RegistryEventKind.Deregistered or RegistryEventKind.Expired);
        switch (left.Event.Kind)
        {
            case RegistryEventKind.Deregistered when left.Node is not null:
                story.Add("deregistered", $"It was {left.Event.Reason}.", left);
                story.Advise("If it should be there, start it; whoever deregistered it meant it to go.");
                break;
            case RegistryEventKind.Expired:
                story.Add("expired", $"It stopped renewing: {left.Event.Reason}.", left);
                story.Advise("See whether its process runs, and whether it reaches the platform: if it does, its next "
                    + "renewal makes it register again.");
                break;
            default:
                TellUnknown(story, key, view);
                break;
        }
        if (registry.Policies.Of(key.Service).Overrides.TryGetValue(key.Id, out var said))
            story.Reasons.Add(new ExplanationReason(
                "override", $"When it comes, an override applies: {said.Describe()}.", said.Since, said.By));
    }

    private void TellUnknown(Story story, InstanceKey key, ServiceView? view)
    {
        var others = view?.Instances.Take(ShownOthers).Select(one => one.Key.Id).ToArray() ?? [];
        story.Reasons.Add(new ExplanationReason("never-registered", others.Length == 0
            ? $"No instance of {key.Service} is registered, and the history does not know this one."
            : $"It has never registered, as far as the history goes; of {key.Service} there are "
                + $"{string.Join(", ", others)}{(view!.Instances.Length > others.Length ? " and others" : "")}."));
        var elsewhere = registry.Services
            .Where(service => service.Key.Service == key.Service.Service && service.Key != key.Service
                && service.View is { Instances.IsEmpty: false })
            .Select(service => service.Key).Order(RegistryPaths.Order).Take(ShownOthers).ToArray();
        if (elsewhere.Length > 0)
            story.Advise($"A service of that name is in another place: {string.Join(", ", elsewhere)}.");
        story.Advise("See its own log: it registers at GROUNDWORK_ADDRESS, in its namespace, with a key that may "
            + $"register {key.Service.Group}/{key.Service.Service}/{key.Id}.");
    }

    private static void TellListed(Story story, ServiceView view, Instance instance, StoredEvent[] events)
    {
        if (view.Maintenance is { } kept)
        {
            story.Reasons.Add(new ExplanationReason(
                "maintenance", $"The whole service is in maintenance: {kept.Reason ?? "no reason given"}.", kept.Since,
                kept.By));
            story.Advise($"End it: service-policy {instance.Key.Service.Group}/{instance.Key.Service.Service}, "
                + "maintenance: false.");
        }
        else if (instance.Override is { } over)
        {
            story.Reasons.Add(new ExplanationReason(
                "override", $"An operator has put {Describe(instance, over)} over it: "
                + $"{over.Reason ?? "no reason given"}.", over.Since, over.By));
            if (instance.Status != InstanceStatus.Up || instance.Weight == 0)
                story.Advise("Take it back: groundwork delete instance-override "
                    + $"{instance.Key.Service.Group}/{instance.Key.Service.Service}/{instance.Key.Id} "
                    + $"-n {instance.Key.Service.Namespace}");
        }
        TellStatus(story, instance, events);
        TellHealth(story, view, instance);
    }

    private static void TellStatus(Story story, Instance instance, StoredEvent[] events)
    {
        var own = instance.Override?.RegisteredStatus ?? instance.Status;
        if (own == InstanceStatus.Draining)
        {
            var told = events.FirstOrDefault(stored => stored.Event.Kind == RegistryEventKind.Draining);
            if (told.Node is null) story.Reasons.Add(new ExplanationReason("status", "It is draining."));
            else story.Add("status", $"It is draining: it was {told.Event.Reason}.", told);
            story.Advise($"If it should stay: groundwork undrain {instance.Key}");
        }
        else if (own != InstanceStatus.Up)
        {
            story.Reasons.Add(new ExplanationReason(
                "status", $"It says of itself that it is {InstanceWords.Of(own)}."));
            story.Advise(own == InstanceStatus.Starting
                ? "Wait until it is up; if that does not come, see its own log."
                : "It has to say that it is up again; see its own log.");
        }
        var weight = instance.Override?.RegisteredWeight ?? instance.Weight;
        if (weight == 0)
        {
            story.Reasons.Add(new ExplanationReason("weight", "It registered with weight 0, which takes no traffic."));
            story.Advise("Register it with a weight above 0, or override the weight.");
        }
    }

    private static void TellHealth(Story story, ServiceView view, Instance instance)
    {
        var health = instance.Health;
        if (health.State == HealthState.Suspect)
        {
            story.Reasons.Add(new ExplanationReason(
                "suspect", $"It is suspect, which is called all the same: {health.Reason}.", health.Since));
            return;
        }
        if (health.State != HealthState.Unhealthy) return;
        story.Reasons.Add(new ExplanationReason("unhealthy", $"It is unhealthy: {health.Reason}.", health.Since));
        story.Advise(health.Cause switch
        {
            HealthCause.Check => "Mend what the check looks at; it is called again when the check passes.",
            HealthCause.Callers => "See whether its address can be reached from its callers; they try it again by "
                + "themselves.",
            _ => "See whether its process runs and reaches the platform; a renewal puts it back.",
        });
        if (view is { Protection: true, ProtectionReason: { } why })
            story.Reasons.Add(new ExplanationReason("protection", $"It stays in the list: {why}."));
    }

    private void TellRefusal(Story story, InstanceKey key)
    {
        if (refused.Find(key) is not { } claim) return;
        var why = claim.Code == ErrorCodes.IncarnationOlder
            ? "it came from an older incarnation than the one that is registered"
            : $"{claim.Code.Code}: {claim.Code.Title}";
        story.Reasons.Add(new ExplanationReason(
            "refused", $"The last {claim.What} on this node was refused, because {why}", claim.At, claim.Principal));
        story.Advise(claim.Code == ErrorCodes.IncarnationOlder
            ? "Two processes use one id: give each its own, or stop the older one."
            : claim.Code == ErrorCodes.Forbidden
                ? $"Give {claim.Principal} a grant of register and renew on instance "
                    + $"{key.Service.Group}/{key.Service.Service}/* in namespace {key.Service.Namespace}."
                : "See docs/errors.md for the code.");
    }

    private static void TellCalled(Story story, ServiceView view) => story.Reasons.Add(new ExplanationReason(
        "called", string.Create(
            CultureInfo.InvariantCulture,
            $"It is one of {view.Callable.Length} that are called, of {view.Instances.Length} that are registered.")));

    private static string Describe(Instance instance, AppliedOverride over) => (
        over.RegisteredWeight, over.RegisteredStatus) switch
    {
        (not null, not null) => $"weight {instance.Weight} and status {InstanceWords.Of(instance.Status)}",
        (not null, null) => $"weight {instance.Weight}",
        (null, not null) => $"status {InstanceWords.Of(instance.Status)}",
        _ => "an override without effect",
    };

    private static string Summarize(InstanceKey key, Instance? instance, bool callable, Story story)
    {
        if (callable) return $"{key} is registered, and called.";
        var because = story.Reasons.Count > 0 ? $" {story.Reasons[0].Text}" : "";
        return instance is null
            ? $"{key} is not registered.{because}"
            : $"{key} is registered, but not called.{because}";
    }

    private sealed class Story
    {
        public List<ExplanationReason> Reasons { get; } = [];

        public List<string> Next { get; } = [];

        public void Add(string code, string text, StoredEvent stored) => Reasons.Add(new ExplanationReason(
            code, text, new DateTimeOffset(stored.Event.UtcTicks, TimeSpan.Zero), stored.Event.Principal));

        public void Advise(string what) => Next.Add(what);
    }
}
