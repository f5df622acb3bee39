#include "terminal.h"

#define NCURSES_WIDECHAR 1
#define NCURSES_NOMACROS 1
#include <curses.h>
#include <fcntl.h>
#include <langinfo.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <clocale>
#include <cmath>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

#include "escape.h"
#include "xterm_description.h"

// From <term.h>, whose macros (columns, lines, ...) take ordinary words away.
extern "C" char* tigetstr(const char* name);

namespace asyncspy {
namespace {

constexpr std::array kEndingSignals{SIGINT, SIGTERM, SIGHUP};
constexpr std::array kCrashSignals{SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};

// What signal handlers need: plain memory that is filled before they are installed.
volatile std::sig_atomic_t ending_signal = 0;
volatile std::sig_atomic_t window_changed = 0;
int wake_pipe[2] = {-1, -1};
termios mode_before{};
char restore_text[256] = "";
std::size_t restore_size = 0;
SCREEN* screen = nullptr;

void wake() {
  const int error = errno;
  [[maybe_unused]] const ssize_t written = ::write(wake_pipe[1], "!", 1);  // a full pipe wakes as well
  errno = error;
}

void on_ending_signal(int number) {
  ending_signal = number;
  wake();
}

void on_window_change(int) {
  window_changed = 1;
  wake();
}

// A crash: the terminal is put back with what is safe in a signal handler, and the crash goes on as it would have.
void on_crash(int number) {
  [[maybe_unused]] const ssize_t written = ::write(STDOUT_FILENO, restore_text, restore_size);
  ::tcsetattr(STDOUT_FILENO, TCSANOW, &mode_before);
  ::signal(number, SIG_DFL);
  ::raise(number);
}

void handle(int number, void (*handler)(int), int flags) {
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = flags;
  ::sigaction(number, &action, nullptr);
}

void remember_how_to_restore() {
  std::string text;
  for (const char* name : {"sgr0", "cnorm", "rmkx", "rmcup"}) {
    const char* sequence = ::tigetstr(name);
    if (sequence != nullptr && sequence != reinterpret_cast<const char*>(-1)) text += sequence;
  }
  text += "\r\n";
  restore_size = std::min(text.size(), sizeof restore_text);
  std::memcpy(restore_text, text.data(), restore_size);
}

void install_handlers() {
  for (const int number : kEndingSignals) handle(number, on_ending_signal, 0);
  for (const int number : kCrashSignals) handle(number, on_crash, 0);
  handle(SIGWINCH, on_window_change, SA_RESTART);
}

void remove_handlers() {
  for (const int number : kEndingSignals) handle(number, SIG_DFL, 0);
  for (const int number : kCrashSignals) handle(number, SIG_DFL, 0);
  handle(SIGWINCH, SIG_DFL, 0);
}

void choose_colours() {
  ::start_color();
  const bool has_default = ::use_default_colors() == OK;
  const auto ground = static_cast<short>(has_default ? -1 : COLOR_BLACK);
  ::init_pair(1, COLOR_RED, ground);
  ::init_pair(2, COLOR_YELLOW, ground);
  ::init_pair(3, COLOR_GREEN, ground);
  ::init_pair(4, COLOR_CYAN, ground);
}

attr_t attributes_of(Ink ink, bool colours) {
  const auto pair = [colours](int number) { return colours ? static_cast<attr_t>(COLOR_PAIR(number)) : A_NORMAL; };
  switch (ink) {
    case Ink::kPlain: return A_NORMAL;
    case Ink::kHeading: return A_BOLD;
    case Ink::kBlocked: return A_BOLD | pair(1);
    case Ink::kWarning: return pair(2) | (colours ? A_NORMAL : A_BOLD);
    case Ink::kGood: return pair(3);
    case Ink::kName: return A_BOLD | pair(4);
    case Ink::kLocation: return pair(4);
    case Ink::kDim: return A_DIM;
    case Ink::kBar: return A_REVERSE;
    case Ink::kSelected: return A_REVERSE | A_BOLD;
  }
  return A_NORMAL;
}

Key to_key(wint_t code, bool is_function) {
  if (!is_function) {
    if (code == 27) return {KeyKind::kEscape};
    if (code == '\n' || code == '\r') return {KeyKind::kEnter};
    if (code == 8 || code == 127) return {KeyKind::kBackspace};
    return {KeyKind::kCharacter, static_cast<char32_t>(code)};
  }
  switch (code) {
    case KEY_UP: return {KeyKind::kUp};
    case KEY_DOWN: return {KeyKind::kDown};
    case KEY_LEFT: return {KeyKind::kLeft};
    case KEY_RIGHT: return {KeyKind::kRight};
    case KEY_PPAGE: return {KeyKind::kPageUp};
    case KEY_NPAGE: return {KeyKind::kPageDown};
    case KEY_HOME: return {KeyKind::kHome};
    case KEY_END: return {KeyKind::kEnd};
    case KEY_ENTER: return {KeyKind::kEnter};
    case KEY_BACKSPACE: return {KeyKind::kBackspace};
    default: break;
  }
  if (code >= static_cast<wint_t>(KEY_F(1)) && code <= static_cast<wint_t>(KEY_F(12))) {
    return {KeyKind::kFunction, static_cast<char32_t>(code - static_cast<wint_t>(KEY_F0))};
  }
  return {KeyKind::kOther};
}

void drain(int descriptor) {
  char bytes[64];
  while (::read(descriptor, bytes, sizeof bytes) > 0) {
  }
}

// Terminals of these kinds do what xterm does, but for details.
bool is_like_xterm(std::string_view kind) {
  constexpr std::array<std::string_view, 10> kKinds{"xterm", "screen", "tmux", "linux", "rxvt", "alacritty", "foot", "kitty", "konsole", "gnome"};
  return std::ranges::any_of(kKinds, [kind](std::string_view each) { return kind.starts_with(each); });
}

SCREEN* open_screen() {
  if (SCREEN* opened = ::newterm(nullptr, stdout, stdin)) return opened;
  const char* kind = std::getenv("TERM");
  if (kind == nullptr || !is_like_xterm(kind)) return nullptr;
  ::setenv("TERMINFO", kXtermDescription, 1);
  return ::newterm("xterm", stdout, stdin);
}

void fit_to_window() {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 && size.ws_col > 0) ::resizeterm(size.ws_row, size.ws_col);
}

}  // namespace

Result<std::unique_ptr<Terminal>> Terminal::open(ColourUse colours) {
  if (::isatty(STDOUT_FILENO) != 1) {
    return fail(ErrorKind::kUsage, "standard output: is no terminal", "asyncspy top --batch -n 1 PID writes plain text");
  }
  if (::isatty(STDIN_FILENO) != 1) {
    return fail(ErrorKind::kUsage, "standard input: is no terminal, so that there are no keys", "asyncspy top --batch -n 1 PID needs none");
  }
  ::setlocale(LC_CTYPE, "");
  if (wake_pipe[0] < 0 && ::pipe2(wake_pipe, O_NONBLOCK | O_CLOEXEC) != 0) {
    return fail(ErrorKind::kInternal, std::string("pipe: ") + std::strerror(errno));
  }
  ::tcgetattr(STDOUT_FILENO, &mode_before);
  ending_signal = 0;
  handle(SIGWINCH, on_window_change, SA_RESTART);  // before curses installs its own
  screen = open_screen();
  if (screen == nullptr) {
    remove_handlers();
    const char* kind = std::getenv("TERM");
    return fail(ErrorKind::kUsage, std::string("terminal: its kind is not known: TERM=") + (kind == nullptr ? "" : kind),
                "TERM=xterm asyncspy top PID, or asyncspy top --batch -n 1 PID");
  }
  std::unique_ptr<Terminal> terminal(new Terminal);
  remember_how_to_restore();
  install_handlers();
  terminal->charset_ = std::string_view(::nl_langinfo(CODESET)) == "UTF-8" ? Charset::kUtf8 : Charset::kAscii;
  terminal->has_colours_ = colours == ColourUse::kWhereThereAre && ::has_colors();
  if (terminal->has_colours_) choose_colours();
  ::set_escdelay(25);
  ::cbreak();
  ::noecho();
  ::nonl();
  ::keypad(stdscr, TRUE);
  ::nodelay(stdscr, TRUE);
  ::curs_set(0);
  return terminal;
}

Terminal::~Terminal() {
  ::erase();  // where there is no second screen, the shell goes on below what was shown
  ::refresh();
  ::endwin();
  ::delscreen(screen);
  screen = nullptr;
  ::tcsetattr(STDOUT_FILENO, TCSANOW, &mode_before);
  remove_handlers();
}

int Terminal::width() const { return std::max(1, COLS); }
int Terminal::height() const { return std::max(1, LINES); }

void Terminal::show(const Grid& grid) {
  ::erase();
  for (int row = 0; row < grid.height() && row < height(); ++row) {
    for (int column = 0; column < grid.width() && column < width(); ++column) {
      const Cell& cell = grid.at(row, column);
      if (cell.text.empty()) continue;
      std::wstring wide;
      for (std::size_t at = 0; at < cell.text.size();) {
        const Utf8Step step = read_utf8(cell.text, at);
        if (step.valid) wide += static_cast<wchar_t>(step.code);
        at += step.length;
      }
      ::attrset(static_cast<int>(attributes_of(cell.ink, has_colours_)));
      ::mvaddnwstr(row, column, wide.c_str(), static_cast<int>(wide.size()));
    }
  }
  ::attrset(A_NORMAL);
  ::refresh();
}

int Terminal::signal_number() { return ending_signal; }

TerminalEvent Terminal::wait(double seconds, Key& key) {
  const auto take_key = [&key] {
    wint_t code = 0;
    const int kind = ::get_wch(&code);
    if (kind == ERR || (kind == KEY_CODE_YES && code == KEY_RESIZE)) return false;
    key = to_key(code, kind == KEY_CODE_YES);
    return true;
  };
  if (ending_signal != 0) return TerminalEvent::kSignal;
  if (window_changed == 0 && take_key()) return TerminalEvent::kKey;  // curses may hold more than the descriptor shows
  std::array<pollfd, 2> watched{pollfd{STDIN_FILENO, POLLIN, 0}, pollfd{wake_pipe[0], POLLIN, 0}};
  const double milliseconds = std::clamp(std::ceil(seconds * 1000), 0.0, 60'000.0);
  const int ready = ::poll(watched.data(), watched.size(), static_cast<int>(milliseconds));
  if (ready > 0 && watched[1].revents != 0) drain(wake_pipe[0]);
  if (ending_signal != 0) return TerminalEvent::kSignal;
  if (window_changed != 0) {
    window_changed = 0;
    fit_to_window();
    return TerminalEvent::kResize;
  }
  if (ready <= 0) return TerminalEvent::kNothing;
  if ((watched[0].revents & POLLIN) != 0 && take_key()) return TerminalEvent::kKey;
  if ((watched[0].revents & (POLLHUP | POLLERR | POLLNVAL)) != 0) return TerminalEvent::kHangUp;
  return TerminalEvent::kNothing;
}

}  // namespace asyncspy
