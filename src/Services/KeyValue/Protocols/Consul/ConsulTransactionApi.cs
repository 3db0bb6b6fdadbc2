using System.Text;
using System.Text.Json;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Security;
using Groundwork.Wire;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Groundwork.Services.KeyValue.Protocols.Consul;

/// <summary>Consul's transactions: <c>/v1/txn</c>, over keys alone.</summary>
internal sealed class ConsulTransactionApi(ConsulCalls calls)
{
    public void Map(IEndpointRouteBuilder endpoints) =>
        endpoints.MapPut("/v1/txn", calls.Handle(RunAsync))
            .LimitsBody(ConsulLimits.RefusedBodyBytes).AllowsAnyone(ConsulCalls.Why);

    private async Task RunAsync(ConsulCall call)
    {
        if (await call.BodyAsync() is not { } body)
        {
            await call.RefuseBodyAsync();
            return;
        }
        if (!ConsulTransactionRules.Read(body).TryGet(out var operations, out var fault))
        {
            await call.RefuseAsync(fault.Error.Status, fault.Detail);
            return;
        }
        foreach (var operation in operations)
        {
            if (call.May(operation.Needs, KeyAccess.Target(operation.Range))) continue;
            await call.DenyAsync();
            return;
        }
        var answer = await RunAsync(operations, call.Aborted);
        await call.AnswerAsync(
            json => Write(json, answer),
            answer.Failures.Count == 0 ? StatusCodes.Status200OK : StatusCodes.Status409Conflict);
    }

    private async Task<Answer> RunAsync(List<ConsulOperation> operations, CancellationToken cancellationToken)
    {
        try
        {
            return await calls.Keys.WriteAsync(transaction => Run(transaction, operations), cancellationToken);
        }
        catch (TransactionRefused refused)
        {
            return refused.Answer;
        }
    }

    /// <exception cref="TransactionRefused">Some of it cannot be: then nothing of it is.</exception>
    private static Answer Run(KeyTransaction transaction, List<ConsulOperation> operations)
    {
        var answer = new Answer([], []);
        for (var place = 0; place < operations.Count; place++)
        {
            try
            {
                if (Run(transaction, operations[place], answer.Results) is { } why) answer.Failures.Add((place, why));
            }
            catch (KeyValueRefusal refusal)
            {
                answer.Failures.Add((place, refusal.Message));
            }
        }
        return answer.Failures.Count == 0 ? answer : throw new TransactionRefused(answer with { Results = [] });
    }

    /// <summary>Null when it was done; else why not.</summary>
    private static string? Run(
        KeyTransaction transaction, ConsulOperation operation, List<(KeyEntry Entry, bool WithValue)> results)
    {
        var (key, value, flags) = (operation.Key, operation.Value, operation.Flags);
        switch (operation.Verb)
        {
            case "set":
                return Wrote(ConsulWrites.Set(transaction, key, value, flags), "");
            case "cas":
                return Wrote(
                    ConsulWrites.CompareAndSet(transaction, key, value, flags, operation.Index),
                    "failed to set key {0}, index is stale");
            case "lock":
                return Wrote(
                    ConsulWrites.Lock(transaction, key, value, flags, operation.Session),
                    "failed to lock key {0}, lock is already held");
            case "unlock":
                return Wrote(
                    ConsulWrites.Unlock(transaction, key, value, flags, operation.Session),
                    "failed to unlock key {0}, lock isn't held, or is held by another session");
            case "delete":
                ConsulWrites.Delete(transaction, key, null);
                return null;
            case "delete-cas":
                return ConsulWrites.Delete(transaction, key, operation.Index)
                    ? null : Say("failed to delete key {0}, index is stale");
            case "delete-tree":
                transaction.Remove(operation.Range);
                return null;
            case "get-tree":
                foreach (var found in transaction.Read.List(operation.Range)) results.Add((found, true));
                return null;
        }
        var entry = transaction.Read.Find(key);
        switch (operation.Verb)
        {
            case "check-not-exists":
                return entry is null ? null : Say("key {0} exists");
            case "get" or "get-or-empty" when entry is not null:
                results.Add((entry, true));
                return null;
            case "get-or-empty":
                results.Add((new KeyEntry(key, [], 0, 0, 0, 0, 0, 0, null), true));
                return null;
            case "check-index" when entry is not null && !ConsulWrites.IsAt(entry, operation.Index):
                return Say($"current modify index {entry.Revision} is not {operation.Index} of key {{0}}");
            case "check-session" when entry is not null && entry.Session != operation.Session:
                return Say("current session of key {0} is another");
            case "get" or "check-index" or "check-session" when entry is null:
                return Say("key {0} doesn't exist");
            default:
                results.Add((entry!, false)); // Checked above.
                return null;
        }

        string? Wrote(KeyEntry? written, string otherwise)
        {
            if (written is null) return Say(otherwise);
            results.Add((written, false));
            return null;
        }

        string Say(string text) => text.Replace(
            "{0}", $"\"{Encoding.UTF8.GetString(key)}\"", StringComparison.Ordinal);
    }

    private static void Write(Utf8JsonWriter json, Answer answer)
    {
        json.WriteStartObject();
        json.WritePropertyName("Results");
        if (answer.Failures.Count > 0) json.WriteNullValue();
        else ConsulJson.WriteAll(json, answer.Results, static (writer, result) =>
        {
            writer.WriteStartObject();
            writer.WritePropertyName("KV");
            ConsulJson.Write(writer, result.Entry, result.WithValue);
            writer.WriteEndObject();
        });
        json.WritePropertyName("Errors");
        if (answer.Failures.Count == 0) json.WriteNullValue();
        else ConsulJson.WriteAll(json, answer.Failures, static (writer, failure) =>
        {
            writer.WriteStartObject();
            writer.WriteNumber("OpIndex", failure.Place);
            writer.WriteString("What", failure.Why);
            writer.WriteEndObject();
        });
        json.WriteEndObject();
    }

    private sealed record Answer(
        List<(KeyEntry Entry, bool WithValue)> Results, List<(int Place, string Why)> Failures);

    /// <summary>Undoes what the transaction has done so far.</summary>
    private sealed class TransactionRefused(Answer answer) : Exception
    {
        public Answer Answer => answer;
    }
}
