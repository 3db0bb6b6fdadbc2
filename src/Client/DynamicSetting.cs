using Groundwork.Client.Settings;

namespace Groundwork.Client;

/// <summary>
/// A value of the configuration that follows the platform: <see cref="Value"/> is what was published last and could be
/// taken, and callbacks are told of changes. Made by <see cref="GroundworkSettings.Watch{T}(string, Func{T,
/// string?})"/>
/// or registered with <see cref="GroundworkHosting.AddDynamicSetting{T}"/>. Thread-safe.
/// </summary>
/// <typeparam name="T">A class that the section is bound to, or a value such as <see cref="int"/>.</typeparam>
/// <remarks>
/// A value that cannot be bound, or that the validation refuses, is rejected: the one before stays, and the platform is
/// told why. A callback that throws does not undo the value, which others have seen by then; the platform is told that
/// this instance rejected it. Until all callbacks have returned, the platform shows the setting as delivered.
/// </remarks>
public sealed class DynamicSetting<T> : IDisposable
{
    private readonly DynamicSettingState<T> state;

    internal DynamicSetting(DynamicSettingState<T> state) => this.state = state;

    /// <summary>The section or key that it is read from.</summary>
    public string Key => state.Key;

    /// <summary>The value in force: one read of memory, and a whole object of one publication.</summary>
    public T Value => state.Value;

    /// <summary>
    /// Calls back with every value after this one, in order, and never two callbacks of this setting at once. Values
    /// that follow each other while a callback runs are one: the newest. Register first and then read
    /// <see cref="Value"/>, so that none is missed.
    /// </summary>
    /// <param name="callback">On a thread of its own; what it throws is logged and reported.</param>
    /// <returns>Ends it.</returns>
    public IDisposable OnChange(Action<T> callback)
    {
        ArgumentNullException.ThrowIfNull(callback);
        return state.Add((value, _) =>
        {
            callback(value);
            return Task.CompletedTask;
        });
    }

    /// <inheritdoc cref="OnChange(Action{T})"/>
    /// <param name="callback">Its token is cancelled when the setting is disposed of, as when the host stops.</param>
    public IDisposable OnChange(Func<T, CancellationToken, Task> callback)
    {
        ArgumentNullException.ThrowIfNull(callback);
        return state.Add(callback);
    }

    /// <summary>Follows no longer; <see cref="Value"/> stays what it is.</summary>
    public void Dispose() => state.Dispose();
}
