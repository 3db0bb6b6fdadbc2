using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Groundwork.Kernel.Resources;

/// <summary>The answer to a named changeset, as it is kept for repeats.</summary>
internal static class CommitAnswer
{
    public static string Write(Commit commit) => JsonSerializer.Serialize(
        new StoredAnswer(commit.Revision, commit.Proposal, [.. commit.Effects.Select(one =>
            new StoredEffect(one.Key.Kind, one.Key.Namespace, one.Key.Name, one.Effect))]),
        StoredAnswerJson.Default.StoredAnswer);

    public static Commit Read(Guid id, string text)
    {
        var answer = JsonSerializer.Deserialize(text, StoredAnswerJson.Default.StoredAnswer)
            ?? throw new InvalidDataException($"The answer kept for changeset {id} is null.");
        return new Commit(
            answer.Revision,
            id,
            answer.Effects.Select(one => (new ResourceKey(one.Kind, one.Namespace, one.Name), one.Effect))
                .ToImmutableArray(),
            answer.Proposal);
    }
}

internal sealed record StoredAnswer(long Revision, string? Proposal, IReadOnlyList<StoredEffect> Effects);

internal sealed record StoredEffect(string Kind, string Namespace, string Name, ChangeEffect Effect);

[JsonSerializable(typeof(StoredAnswer))]
internal sealed partial class StoredAnswerJson : JsonSerializerContext;
