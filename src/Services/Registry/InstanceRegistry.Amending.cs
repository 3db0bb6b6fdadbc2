using Groundwork.Services.Registry.Protocols;
using Groundwork.Wire;

namespace Groundwork.Services.Registry;

/// <content>What protocols of others change of an instance that stays registered.</content>
internal sealed partial class InstanceRegistry
{
    /// <summary>The instances by id alone.</summary>
    public InstanceIds ById { get; }

    /// <summary>
    /// Changes some of what an instance says of itself, such as one check or some metadata, in one step beside
    /// everybody else who changes it. Written behind, within a second.
    /// </summary>
    /// <param name="amend">
    /// What becomes of it; the same object when nothing does. Runs under the gate of the service and calls nobody.
    /// </param>
    /// <param name="hold">True: this node looks after it from now on, as with a renewal or a registration.</param>
    /// <returns>The service's index after it, or <c>instance_not_found</c>.</returns>
    public Outcome<long> Amend(
        InstanceKey key, Func<Instance, Instance> amend, string reason, string? principal, bool hold = false)
    {
        if (!instances.TryGetValue(key, out var state)) return NotFound(key);
        lock (state.Service.Gate)
        {
            if (state.Removed) return NotFound(key);
            var known = state.Instance;
            var next = amend(known);
            var moved = hold && state.Owner != NodeName;
            if (moved) Hold(state, next);
            next = Judged(state, next);
            if (!Sameness.Of(known, next) || !ReferenceEquals(known.Health, next.Health))
                Change(state, next, KindOf(known, next), reason, principal);
            else if (moved) NoteOwner(state);
            Publisher.Changed(state.Service);
            return state.Service.Index;
        }
    }
}
