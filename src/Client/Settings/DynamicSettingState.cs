using System.Collections.Immutable;
using Groundwork.Client.Receipts;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Primitives;

namespace Groundwork.Client.Settings;

/// <summary>
/// A dynamic setting's value and its callbacks. The value is bound on the thread that publishes; callbacks run one
/// after the other in a task of their own, which exists only while there is something to tell.
/// </summary>
internal sealed partial class DynamicSettingState<T> : IDisposable
{
    private readonly IConfiguration configuration;
    private readonly Func<IConfigurationSection, T> bind;
    private readonly Func<T, string?>? validate;
    private readonly SettingUsers users;
    private readonly ILogger log;
    private readonly CancellationTokenSource stop = new();
    private readonly CancellationToken stopping;
    private readonly IDisposable following;

    // One binds at a time, for files may change while the platform publishes. Taken before the gate, never within it.
    private readonly Lock binding = new();
    private readonly Lock gate = new();

    // Replaced as a whole under the gate, so that a round calls those that were there when it began.
    private ImmutableArray<Func<T, CancellationToken, Task>> callbacks = [];
    private Box current;
    private ImmutableArray<KeyValuePair<string, string?>> keys;

    // The newest value that callbacks were not told of, and the task that tells them. Under the gate.
    private Told? next;
    private Task telling = Task.CompletedTask;
    private bool isTelling;

    // Whether the keys as they are were taken over, by the callbacks too, and which change it is about. Under the gate.
    private bool isSettled = true;
    private long change;

    public DynamicSettingState(
        string key, IConfiguration configuration, Func<IConfigurationSection, T> bind, Func<T, string?>? validate,
        SettingUsers users, ILogger log)
    {
        Key = key;
        this.configuration = configuration;
        this.bind = bind;
        this.validate = validate;
        this.users = users;
        this.log = log;
        stopping = stop.Token;
        using (var use = users.Begin(this, key)) current = new Box(BindFirst(use));
        following = ChangeToken.OnChange(configuration.GetReloadToken, Follow);
        // What was published between the first reading and this line was told to nobody.
        Follow();
    }

    public string Key { get; }

    public T Value => Volatile.Read(ref current).Value;

    public IDisposable Add(Func<T, CancellationToken, Task> callback)
    {
        lock (gate) callbacks = callbacks.Add(callback);
        return new Registration(this, callback);
    }

    public void Dispose()
    {
        following.Dispose();
        users.Forget(this);
        lock (gate) callbacks = [];
        if (!stopping.IsCancellationRequested) stop.Cancel();
        stop.Dispose();
    }

    // Without a value there is nothing to go on with, so a fault is the caller's, as with options.
    private T BindFirst(SettingUse use)
    {
        string? wrong;
        try
        {
            keys = Keys();
            var value = bind(configuration.GetSection(Key));
            wrong = validate?.Invoke(value);
            if (wrong is null)
            {
                use.Passed();
                return value;
            }
        }
        catch (Exception fault)
        {
            use.Failed(fault);
            throw;
        }
        use.Failed(wrong);
        throw new OptionsValidationException(Key, typeof(T), [wrong]);
    }

    private void Follow()
    {
        lock (binding)
        {
            using var use = users.Begin(this, Key);
            Follow(use);
        }
    }

    private void Follow(SettingUse use)
    {
        try
        {
            var now = Keys();
            if (now.SequenceEqual(keys))
            {
                lock (gate)
                    if (isSettled) use.Passed();
                return;
            }
            keys = now;
            lock (gate)
            {
                isSettled = false;
                change++;
            }
            var value = bind(configuration.GetSection(Key));
            if (validate?.Invoke(value) is { } wrong)
            {
                LogRejected(Key, use.Failed(wrong));
                return;
            }
            Volatile.Write(ref current, new Box(value));
            Tell(value, use);
        }
        catch (Exception fault)
        {
            LogRejected(Key, use.Failed(fault));
        }
    }

    private ImmutableArray<KeyValuePair<string, string?>> Keys() => [.. configuration.GetSection(Key).AsEnumerable()];

    private void Tell(T value, SettingUse use)
    {
        lock (gate)
        {
            var told = new Told(value, use, change);
            if (callbacks.IsEmpty && !isTelling)
            {
                isSettled = true;
                told.Use.Passed();
                return;
            }
            told.Use.IsAtWork();
            next = told;
            if (isTelling) return;
            isTelling = true;
            telling = Task.Run(TellAllAsync, CancellationToken.None);
        }
    }

    private async Task TellAllAsync()
    {
        while (true)
        {
            Told told;
            ImmutableArray<Func<T, CancellationToken, Task>> round;
            lock (gate)
            {
                if (next is null || stopping.IsCancellationRequested)
                {
                    isTelling = false;
                    return;
                }
                (told, next, round) = (next, null, callbacks);
            }
            Exception? failed = null;
            foreach (var callback in round)
            {
                try
                {
                    await callback(told.Value, stopping);
                }
                catch (OperationCanceledException) when (stopping.IsCancellationRequested)
                {
                    break;
                }
                catch (Exception fault)
                {
                    // The others are told nevertheless: the value is in force.
                    failed ??= fault;
                }
            }
            lock (gate)
            {
                // What becomes of the newest is what counts: it is told next, or was rejected meanwhile.
                if (told.Change != change || stopping.IsCancellationRequested) continue;
                isSettled = failed is null;
                if (failed is null) told.Use.Passed();
                else LogCallback(Key, told.Use.Failed(failed));
            }
        }
    }

    private void Remove(Func<T, CancellationToken, Task> callback)
    {
        lock (gate) callbacks = callbacks.Remove(callback);
    }

    /// <summary>Makes a value of any size one that is swapped at once.</summary>
    private sealed record Box(T Value);

    private sealed record Told(T Value, SettingUse Use, long Change);

    private sealed class Registration(DynamicSettingState<T> owner, Func<T, CancellationToken, Task> callback)
        : IDisposable
    {
        public void Dispose() => owner.Remove(callback);
    }

    [LoggerMessage(
        Level = LogLevel.Error, Message = "The new value of {Key} is rejected; the one before stays. {Wrong}")]
    private partial void LogRejected(string key, string wrong);

    [LoggerMessage(
        Level = LogLevel.Error, Message = "A callback of {Key} failed; the new value stays in force. {Wrong}")]
    private partial void LogCallback(string key, string wrong);
}
